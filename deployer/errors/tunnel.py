"""Reaching hosts in AWS through an EC2 Instance Connect Endpoint."""

from __future__ import annotations

from deployer.errors.aws import AwsDenied
from deployer.errors.base import Failure
from deployer.errors.remote import HostUnreachable


class TunnelLibraryMissing(Failure):
    """deployer was installed without what is for AWS."""

    headline = "The library websockets is not here: hosts in AWS are reached through it."
    advice = "Install deployer with it: `pip install 'deployer-cli[aws]'`"


class EndpointMissing(Failure):
    """There is none, or it is not there yet. `found` says which."""

    space: str
    found: str

    headline = "The hosts of {space} cannot be reached: its EC2 Instance Connect Endpoint is not there."
    seen = "{found}"
    advice = """
        It takes AWS some minutes to make one. `deployer spaces:refresh {space}` says what somebody has deleted by hand,
        and `deployer up --space {space}` makes it again.
        """


class TunnelRefused(HostUnreachable):
    """AWS takes the credentials, and not what the tunnel was to lead to."""

    endpoint: str
    code: str

    headline = "AWS opens no tunnel to host {host}."
    seen = "{endpoint} to {address} port {port}, {code}: {reason}"
    advice = """
        Does its instance still run? AWS replaces hosts: then the same command finds the new one. `deployer
        spaces:refresh` says what somebody has changed by hand.
        """


class HostSilent(HostUnreachable):
    """AWS has opened the tunnel, and no SSH server spoke at its other end."""

    endpoint: str

    headline = "Host {host} does not answer through the tunnel."
    seen = "{endpoint} to {address} port {port}: {reason}"
    advice = """
        A host that has just begun takes a minute. Else: does its instance run, and does its security group let the
        endpoint's in at port 22? `deployer spaces:refresh` says what somebody has changed by hand.
        """


class TunnelsTaken(Failure):
    """An endpoint has as many tunnels as it may."""

    endpoint: str
    most: int
    reason: str

    headline = "The endpoint {endpoint} takes no more connections."
    seen = "{reason}"
    advice = """
        It has {most} at most, one for each host that a command talks to. Type the same command again when others have
        ended: whoever follows logs holds theirs all the time. Hosts that `access` in deployer.toml opens to your
        network are reached without it.
        """


class TunnelDenied(AwsDenied):
    """The credentials may not open tunnels, or not this one."""

    advice = """
        Have {action} added to their policy, for the space's endpoint, or choose others
        with AWS_PROFILE; then type the same command again. `deployer iam:policy deployer` prints a policy that has it.
        """
