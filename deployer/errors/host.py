"""What agents answer, as failures with words: a registry of classes by code.

A class under `@words(CODE)` is made of the code's details by name, and of `host`, the host's id, where it has such a
field. Its module may be any of this package. A code without a class is shown as it came.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import deployer.errors
from deployer.errors.base import Failure, HostFailure

C = TypeVar("C", bound=type[Failure])
_WORDS: dict[str, type[Failure]] = {}


def words(code: str) -> Callable[[C], C]:
    """Register a class as the words for an agent's code."""

    def register(kind: C) -> C:
        _WORDS[code] = kind
        return kind

    return register


def failure(host: str, code: str, details: Mapping[str, Any]) -> Failure:
    """The failure for what the agent on `host` answered."""
    kind = _known().get(code)
    facts = {"host": host, **details}
    if kind is None or kind.lacking(facts):
        return HostFailure(code, facts)  # another version's agent: fewer facts than our words need
    return kind(**{name: facts[name] for name in kind.FACTS if name in facts})


def _known() -> dict[str, type[Failure]]:
    for module in pkgutil.iter_modules(deployer.errors.__path__):
        importlib.import_module(f"deployer.errors.{module.name}")
    return _WORDS


@words("defect")
class AgentDefect(Failure):
    """The agent ended in a way that nobody foresaw. `traceback` is Python's."""

    host: str
    call: str
    traceback: str

    exit_status = 70
    headline = "This is a bug in deployer: its agent failed on host {host} in `{call}`."
    seen = "{traceback}"


@words("bad-request")
class AgentMisunderstood(Failure):
    """The agent cannot make sense of a request."""

    host: str
    reason: str

    exit_status = 70
    headline = "This is a bug in deployer: its agent on host {host} refused a request."
    seen = "{reason}"


@words("unknown-call")
class UnknownCall(Failure):
    """The agent has no such call."""

    host: str
    call: str

    exit_status = 70
    headline = "This is a bug in deployer: its agent on host {host} has no call `{call}`."


@words("lease-lost")
class Superseded(Failure):
    """A newer command has changed the app on this host: ours has lost its lease, whatever it believes."""

    host: str
    app: str
    token: int
    highest: int

    headline = "Another command has taken over ⬢ {app}; this one has stopped."
    seen = "Host {host} has seen lease {highest}; this command held lease {token}."
    advice = "Look with `deployer releases -a {app}`, then run the command again."


@words("old-epoch")
class OldEpoch(Failure):
    """The space's first host was replaced since this command read its ledger."""

    host: str
    epoch: int
    known: int

    headline = "This space has moved on: its ledger was read from a host that is no longer the first."
    seen = "Host {host} knows epoch {known}; this command came with epoch {epoch}."
    advice = "Run the command again: this computer looks for the host that is the first one now."


@words("disk-full")
class HostDiskFull(Failure):
    """No room for what was sent. Sizes in bytes."""

    host: str
    path: str
    needed: int
    free: int

    headline = "Host {host} has no room for this release."
    seen = """
        {path} needs {needed:,} bytes, and {free:,} are free.
        Nothing of it was kept, and the previous release is untouched.
        """
    advice = "Make room there, or take a larger disk, then deploy again."


@words("read-only")
class HostReadOnly(Failure):
    """The file system was read-only when a call wanted to write. `reason` is the system's own words."""

    host: str
    call: str
    reason: str

    headline = "The disk of host {host} can only be read."
    seen = "{reason}, in `{call}`."
    advice = """
        Linux does that to a disk with errors: `dmesg` and `findmnt /srv` on the host say more. When it can be written
        again, run the command again: it finishes or undoes what this one began.
        """


@words("no-space")
class HostNoSpace(Failure):
    """The disk was full when a call wanted to write. `reason` is the system's own words."""

    host: str
    call: str
    reason: str

    headline = "The disk of host {host} is full."
    seen = "{reason}, in `{call}`."
    advice = """
        Make room there: `df -h` and `du -xsh /srv/deployer/* /var/log` show what takes it. Then run the command again:
        it finishes or undoes what this one began.
        """


@words("bad-manifest")
@words("bad-blob")
class ShipmentRefused(Failure):
    """What arrived is not what was announced: a changed file, or a record that no build makes."""

    host: str
    reason: str

    headline = "Host {host} refused the slug."
    seen = "{reason}"
    advice = "Deploy again. If it stays: `deployer builds:cache:purge`, then deploy."
