"""Reaching hosts the way the user's own OpenSSH does: targets, host keys, keys and passphrases."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class BadTarget(UsageFailure):
    """What was given is no address of a host."""

    target: str

    headline = "`{target}` is no host."
    advice = "Say USER@ADDRESS, USER@ADDRESS:PORT, or a name that stands in ~/.ssh/config."


class SshMissing(Failure):
    """OpenSSH's client, which reads ~/.ssh/config, is not installed."""

    headline = "The command ssh is missing on this machine: it reads ~/.ssh/config and known_hosts."
    advice = "On Debian and Ubuntu: sudo apt-get install openssh-client"


class SshConfigRefused(Failure):
    """OpenSSH does not understand its configuration."""

    target: str
    said: str

    headline = "ssh cannot tell how to reach {target}."
    seen = "{said}"
    advice = "`ssh -G {target}` says the same. Mend ~/.ssh/config, then try again."


class HostKeyUnknown(Failure):
    """A host that was never met, and nobody there to ask."""

    target: str
    address: str
    port: int
    kind: str
    fingerprint: str

    headline = "The host key of {target} is not known here, and nobody is there to be asked about it."
    seen = "{address} port {port} shows the {kind} key {fingerprint}"
    advice = """
        If that is the machine's own (on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub),
        say so with --host-key {fingerprint}
        """


class HostKeyRefused(Failure):
    """The user said no to a host key, or named another one."""

    target: str
    fingerprint: str

    headline = "Nothing was sent to {target}: its host key {fingerprint} is not the one that you trust."


class KnownKeyDiffers(Failure):
    """known_hosts has another key."""

    target: str
    address: str
    port: int
    fingerprint: str
    file: str
    known: str

    headline = "{target} is not the machine that known_hosts knows. Nothing was sent to it."
    seen = """
        {address} port {port} shows {fingerprint}
        {file} has
            {known}
        """
    advice = """
        Either the machine was reinstalled, or something answers in its place. Compare with what
        the machine's own console says to: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
        If it was reinstalled: ssh-keygen -R '{target}', then try again.
        """


class NoKeyAccepted(Failure):
    """None of the user's keys opens the host. `tried` is one a line."""

    target: str
    user: str
    address: str
    port: int
    tried: str

    headline = "{target} refused to let {user} in."
    seen = """
        {address} port {port} accepted none of these keys:
        {tried}
        """
    advice = "`ssh -v -p {port} {user}@{address} true` shows what ssh itself tries, and what the host accepts."


class PassphraseNeeded(Failure):
    """A key has a passphrase, and nobody is there to type it."""

    identity: str

    headline = "The key {identity} has a passphrase, and nobody is there to type it."
    advice = "Give it to the agent first: ssh-add {identity}"


class JumpRefused(Failure):
    """A host on the way does not let connections through."""

    jump: str
    address: str
    port: int
    reason: str

    headline = "The jump host {jump} did not connect to {address} port {port}."
    seen = "{reason}"
    advice = "Does it reach that address, and does its sshd allow it (AllowTcpForwarding)?"


class ProxyCommandFailed(Failure):
    """The command of ProxyCommand does not run."""

    target: str
    command: str
    reason: str

    headline = "The ProxyCommand for {target} did not start."
    seen = "{command}: {reason}"
