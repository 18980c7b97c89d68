"""Spaces: names, and what a sandbox needs of this machine."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class BadSpaceName(UsageFailure):
    """A name that no space can have."""

    space: str

    headline = "`{space}` cannot name a space."
    advice = "Up to 30 lower-case letters, digits and dashes; a letter first, no dash last."


class SpaceExists(Failure):
    """The name is taken on this machine."""

    space: str

    headline = "There is a space {space} already."
    advice = "`deployer spaces:info {space}` describes it, `deployer spaces:destroy {space}` removes it."


class BadPlatform(UsageFailure):
    """A platform that does not exist."""

    platform: str
    known: str

    headline = "There is no platform `{platform}`."
    advice = "There are: {known}."


class NotASandbox(UsageFailure):
    """A command for sandboxes, and a space of another kind."""

    space: str
    kind: str

    headline = "{space} is a space of the kind {kind}: its machines are not this machine's to start or stop."


class SandboxNeedsRoot(Failure):
    """Namespaces, bridges and mounts are root's to make."""

    command: str

    headline = "A sandbox is made of machines with networks and mounts of their own: root's to make and to stop."
    advice = """
        Type: {command}
        Everything else about the space then works without sudo.
        """


class PointerUnreadable(Failure):
    """The file that says where a space is."""

    space: str
    path: str
    reason: str

    headline = "What this machine remembers of the space {space} cannot be read."
    seen = "{path}: {reason}"
    advice = "Mend the file, or delete it: then this machine no longer knows the space, which itself stays as it is."


class SpaceStopped(Failure):
    """The first host of a sandbox does not run. `command` starts it."""

    space: str
    host: str
    command: str

    headline = "The space {space} does not run: its host {host} is down."
    advice = """
        Type: {command}
        Apps come back with it as they were.
        """


class SpaceFolderGone(Failure):
    """The pointer leads to a sandbox whose folder was deleted by hand."""

    space: str
    folder: str

    headline = "Nothing is left of the space {space} but its name."
    seen = "Its folder {folder} is gone."
    advice = "`deployer spaces:destroy {space}` forgets it; then `deployer spaces:create {space}` makes a new one."


class SandboxToolMissing(Failure):
    """Programs are missing that come with packages."""

    programs: str
    packages: str

    headline = "Missing on this machine: {programs}."
    advice = "Type: sudo apt-get install --yes {packages}"


class NoSubnetLeft(Failure):
    """Every candidate network is in use."""

    headline = "This machine has routes into every network that a sandbox could use."
    seen = "Looked for a free /24 in 10.213.0.0 to 10.216.255.0; `ip route` lists what is taken."


class PortTaken(Failure):
    """The front's port belongs to another program."""

    port: int

    headline = "Port {port} on 127.0.0.1 is taken by another program."
    advice = "Choose another one with `--port`."


class HostDidNotBoot(Failure):
    """A host of a sandbox did not answer in time; `lines` are the end of its console."""

    host: str
    seconds: float
    lines: str

    headline = "{host} did not answer within {seconds:.0f} s of its start."
    seen = "The end of its console:\n{lines}"
    advice = "`deployer spaces:start` tries again."


class NoSuchHost(Failure):
    """The space has no host of that name."""

    host: str
    space: str
    known: str

    headline = "{space} has no host {host}."
    seen = "It has: {known}."


class HostNotReady(Failure):
    """A host runs again, but its router does not take requests."""

    host: str
    seconds: float

    headline = "{host} has booted, but its router took no requests within {seconds:.0f} s."
    advice = "Look inside: `journalctl -b` there; `deployer hosts` has its address."


class FrontDidNotStart(Failure):
    """HAProxy ended, or does not listen. `lines` are its last words."""

    port: int
    lines: str

    headline = "The sandbox's front, HAProxy on 127.0.0.1 port {port}, did not start."
    seen = "It said at last:\n{lines}"
    advice = "`deployer spaces:start` tries again."


class ImageGone(Failure):
    """The platform image that hosts lie over was deleted by hand."""

    space: str
    image: str

    headline = "The hosts of {space} cannot boot: the platform image that they lie over is gone."
    seen = "{image} was there when they were made."
    advice = "What they have of their own is in the folder that `deployer spaces:info {space}` names."


class SandboxBusy(Failure):
    """Another command is at it."""

    space: str

    headline = "Another command is changing the space {space} on this machine."
    advice = "Wait for it to end, then try again."
