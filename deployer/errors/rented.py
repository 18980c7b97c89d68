"""Spaces of hosts that the user already has."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class HostsUnfit(Failure):
    """Some machines cannot be hosts. `problems` is a paragraph for each."""

    space: str
    problems: str

    headline = "The space {space} was not made, and nothing was changed on any host."
    seen = "{problems}"


class HostUnfit(Failure):
    """A machine cannot be one more host. `problems` is a paragraph for each reason."""

    target: str
    space: str
    problems: str

    headline = "{target} was not added to {space}, and nothing was changed on it."
    seen = "{problems}"


class HostApart(Failure):
    """A machine and the hosts of a space do not all reach each other. `seen_of_it` is a line for each way."""

    target: str
    space: str
    seen_of_it: str

    headline = "{target} was not added to {space}: it and the hosts there do not all reach each other."
    seen = "{seen_of_it}"
    advice = """
        Ports 7000 to 9999 between them must be open, at addresses that a network of their own has.
        `--private-address ADDRESS` says which address of {target} is meant. Machines in different networks make
        different spaces.
        """


class MachineNeeded(UsageFailure):
    """A host is to be added, and nobody said which machine."""

    space: str

    headline = "{space} is made of machines that you have. Which one is to be added?"
    advice = "deployer hosts:add --host USER@ADDRESS --space {space}"


class MixedPlatforms(Failure):
    """Hosts of several systems or architectures: no slug would run on all of them."""

    space: str
    found: str

    headline = "The hosts of a space all run the same system on the same architecture; these do not."
    seen = "{found}"
    advice = "Make a space for each kind, or reinstall what differs. Nothing was changed."


class PrivateAddressRefused(Failure):
    """The private addresses that were given do not lead from host to host."""

    given: str
    found: str

    headline = "The hosts do not all reach each other at {given}."
    seen = "{found}"
    advice = """
        Each --private-address belongs to the --host at the same place, and another host must reach it on ports 7000 to
        9999. Without --private-address they are looked for. Nothing was changed.
        """


class NotFirstHost(Failure):
    """A host without the space's ledger."""

    target: str
    space: str

    headline = "{target} is a host of {space}, but not its first one: the ledger is there."
    advice = "Join by the first host. `deployer hosts`, where the space is known already, lists it first."


class NoSpaceThere(Failure):
    """A machine that is no host of any space."""

    target: str

    headline = "{target} is no host of a space."
    advice = "`deployer spaces:create NAME --host {target}` makes it one."


class HostsLeft(Failure):
    """A space is to be destroyed, and not every host can be reached."""

    space: str
    hosts: str

    headline = "{space} was not destroyed: not every host of it answers."
    seen = "{hosts}"
    advice = """
        Destroy it when they answer again. If they are gone for good:
        deployer spaces:destroy {space} --forget
        makes this machine forget the space; on hosts that still run, everything goes on running.
        """


class OptionsMixed(UsageFailure):
    """Options of two kinds of spaces."""

    options: str

    headline = "{options} do not go together."
    advice = """
        With --host a space is made of machines that you have; without it, on this machine, with --hosts, --platform
        and --port.
        """


class BadDomain(UsageFailure):
    """No domain."""

    domain: str

    headline = "`{domain}` is no domain."
    advice = "Say it like apps.example.com: apps become APP.apps.example.com."
