"""The machines of a space: who does not answer, who may come and go."""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.errors.host import words


class NoHostHasJoined(Failure):
    """A space in AWS whose hosts are not there yet, or do not come up."""

    space: str

    headline = "No host of {space} has joined it."
    seen = "Its store names none that holds a seat."
    advice = "A new host takes some minutes. `deployer doctor --space {space}` says what keeps it from joining."


class NoHostLeft(NoHostHasJoined):
    """All hosts of a space in AWS are gone. `gone` is a line for each."""

    gone: str

    headline = "No host of {space} is left."
    seen = "{gone}"
    advice = """
        A new host takes some minutes, and then serves what the ledger says: type the same command again then. `deployer
        doctor --space {space}` says how far it is.
        """


class HostGone(Failure):
    """A host of AWS that does not answer, and never will. `why` is a sentence."""

    host: str
    why: str

    headline = "{why}."


class HostsDoNotAnswer(Failure):
    """Hosts that count do not answer, and nobody said what to do about it. `seen_of_each` is a line for each,
    `options` the words that leave them out, `names` them with commas."""

    hosts: str
    seen_of_each: str
    options: str
    names: str

    headline = "No answer from {hosts}. Nothing was changed."
    seen = "{seen_of_each}"
    advice = """
        Choose, and type the same command again:
          with `--wait SECONDS`          to give it that long to answer
          with `{options}`
                                         to go on without: its dynos start on the other hosts, its router tells the
                                         front to send it nothing, and it catches up when it answers again
        `git push` takes the same from the environment: DEPLOYER_LEAVE_OUT={names}. A sandbox's hosts boot with
        `deployer spaces:start`.
        """


class HostsOfAwsDoNotAnswer(HostsDoNotAnswer):
    """The same in AWS, which does not say that they are gone."""

    advice = """
        AWS replaces a host that fails its checks, within some minutes. Once its group sends it away, commands go on
        without it, and the new one takes by itself what it has missed. Type the same command again
          some minutes later, or now with `--wait SECONDS`: that waits for either
          after `deployer hosts:roll --host HOST`, which has it replaced whatever AWS thinks of it
        """


class RollChanged(Failure):
    """While a command waited for its turn, hosts were left out, taken back, added or removed."""

    space: str

    headline = "The hosts of {space} have changed since this command looked at them. It changed nothing."
    advice = "Run the command again."


class FirstHostStays(Failure):
    """The host that is to be removed has what there is once in the space."""

    host: str
    space: str

    headline = "{host} is the first host of {space}: the ledger lies there, and the databases of its apps. It stays."
    advice = """
        Other hosts can be removed; `deployer hosts` lists them. If this one is lost for good, another one takes its
        place: `deployer hosts:promote HOST --space {space}`. Then it can be removed too.
        """


class HostHasDatabases(Failure):
    """The host that is to be removed has data that is nowhere else. `databases` is a line for each."""

    host: str
    databases: str

    headline = "{host} has databases, which would go with it. It stays."
    seen = "{databases}"
    advice = "Destroy them first, after a dump where they answer: `deployer addons:destroy NAME -a APP`."


class FirstHostAway(Failure):
    """The host with the ledger does not answer, and no other one has been made the first. `seen_of_it` is a line,
    `other` a host that could take its place."""

    host: str
    space: str
    seen_of_it: str
    other: str

    headline = "No answer from {host}, the first host of {space}: the ledger is there. Nothing was changed."
    seen = "{seen_of_it}"
    advice = """
        What runs on the other hosts goes on. Bring it back, or, if it is lost for good, make another host the first:
            deployer hosts:promote {other} --space {space}
        """


class FirstHostAnswers(Failure):
    """Another host is to become the first, and the first one is there."""

    host: str
    space: str
    other: str

    headline = "{host} is the first host of {space}, and answers: {other} cannot take its place. Nothing was changed."
    advice = """
        A first host is replaced only when it is lost. If it is in a bad way, reboot it: `deployer hosts:reboot {host}
        --space {space}`; `deployer doctor --space {space}` says what is wrong. If it has to go, switch it off first:
        databases on it are lost with it.
        """


class OthersMustAnswer(Failure):
    """A host is to become the first, and not every other one that counts answers. `seen_of_each` is a line for each."""

    host: str
    hosts: str
    seen_of_each: str
    options: str

    headline = "{host} was not made the first host: no answer from {hosts}. Nothing was changed."
    seen = "{seen_of_each}"
    advice = """
        The only copy of what was changed last may be there, so every host but the lost one has to answer. Bring it
        back, then type the same command again. If it is lost for good too, and with it what only it may know:
        the same command with `{options}`.
        """


class HostIsLeftOut(Failure):
    """A host is to become the first that does not count, or does not answer. `others` are those that could."""

    host: str
    others: str

    headline = "{host} is left out, or does not answer: it cannot become the first host. Nothing was changed."
    seen = "Those that count and answer: {others}."
    advice = "Name one of them."


class NoCopyLeft(Failure):
    """No host that answers has a whole copy of the ledger. `hosts` are those that were asked."""

    space: str
    hosts: str

    headline = "No host of {space} has a copy of its ledger: none can become the first."
    seen = "Asked: {hosts}."
    advice = """
        Bring the first host back. What still runs on the others goes on, without deployer: docs/by-hand.md says how to
        look after it and how to take it off.
        """


class FirstHostMoved(Failure):
    """This computer took another host for the first one."""

    space: str
    old: str
    first: str

    headline = "{first} is the first host of {space} now, no longer {old}. This command changed nothing from there on."
    advice = "This computer has noted it: run the command again."


class PromotionUnfinished(Failure):
    """Hosts obey a newer epoch than that of any ledger."""

    space: str
    first: str
    other: str

    headline = "Somebody has begun to make another host the first one of {space}, and did not come to the end."
    seen = "{other} no longer obeys commands that were made from the ledger on {first}, and no host has a newer one."
    advice = """
        Type one of these, then the command again:
            deployer hosts:promote {first} --space {space}    to leave the ledger where it is
            deployer hosts:promote {other} --space {space}    where {first} is lost
        """


@words("epoch-taken")
class EpochTaken(Failure):
    """Two people make a host the first one at the same time."""

    host: str
    epoch: int
    known: int

    headline = "Somebody else is making a host the first one of this space at this moment."
    seen = "Host {host} knows epoch {known} already; this command wanted to begin epoch {epoch}."
    advice = "`deployer hosts` says what came of it. If it was cut off, type the same command again."
