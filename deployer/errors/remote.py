"""Reaching hosts: the connection, and the agent at its other end."""

from __future__ import annotations

from deployer.errors.base import Failure


class HostUnreachable(Failure):
    """No SSH server answered. `reason` is the system's own words."""

    host: str
    address: str
    port: int
    reason: str

    headline = "Could not reach host {host}."
    seen = "{address} port {port}: {reason}"
    advice = "Is it running? A sandbox starts again with `deployer spaces:start`."


class HostKeyChanged(Failure):
    """Another key than the space knows: another machine, or somebody in between. Both keys as OpenSSH lines."""

    host: str
    address: str
    port: int
    known: str
    found: str

    headline = "Host {host} is not the one that this space knows. Nothing was sent to it."
    seen = """
        {address} port {port} answered with the key
            {found}
        and this space knows
            {known}
        """
    advice = """
        Either the machine was reinstalled, or something answers in its place. On the machine's own console type
            ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
        and compare with
            ssh-keyscan -p {port} {address} | ssh-keygen -lf -
        """


class AuthenticationRefused(Failure):
    """The host does not accept our key."""

    host: str
    user: str
    address: str
    port: int
    identity: str

    headline = "Host {host} refused to let {user} in."
    seen = "{address} port {port} did not accept the key {identity}."
    advice = "See what it accepts: ssh -v -i {identity} -p {port} {user}@{address} true"


class IdentityUnreadable(Failure):
    """The private key could not be read here."""

    identity: str
    reason: str

    headline = "Could not read the private key {identity}."
    seen = "{reason}"
    advice = "Is the file there, readable by you, and a key without a passphrase?"


class ConnectionLost(Failure):
    """The connection or the agent ended in the middle of a call. `seen_last` is what the host said at the end."""

    host: str
    call: str
    seen_last: str

    headline = "Lost the connection to host {host} during `{call}`."
    seen = "{seen_last}"
    advice = "Run the command again: it finishes or undoes what this one began."


class AgentNotInstalled(Failure):
    """The agent could not be copied to the host."""

    host: str
    status: int
    said: str

    headline = "Could not put the agent on host {host}."
    seen = "Exit status {status}: {said}"
    advice = "The host needs python3 (3.11 or newer) and, where the login is not root, sudo without a password."


class SeveralHostsFailed(Failure):
    """More than one host failed at the same thing; `failures` is one paragraph each."""

    count: int
    total: int
    failures: str

    headline = "{count} of {total} hosts failed."
    seen = "{failures}"
