"""Which app and which space a command means: flags, DEPLOYER_APP, git remotes, deployer.toml, the only one there is.

Several fit: an error that lists them. A bare app name never guesses a space.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from deployer.cli.shell import Shell
from deployer.errors.apps import NoApp, NoSpace, RemoteUnknown, SeveralApps, SeveralSpaces, SpaceUnknown
from deployer.errors.cloud import NoHostsYet
from deployer.errors.config import UnreadableFile
from deployer.model.events import Timing
from deployer.model.space import Pointer
from deployer.operations.checkout import Remote, remotes

if TYPE_CHECKING:
    from deployer.operations.session import OpenSpace

T = TypeVar("T")
MANIFEST = "deployer.toml"


@dataclass(frozen=True, slots=True)
class Target:
    """An app in a space; `app` is None where only the space is known and has to be asked for its only app."""

    space: str
    app: str | None


@contextmanager
def opened(shell: Shell, app: str | None, remote: str | None) -> Iterator[tuple[OpenSpace, str]]:
    """The space, open, and the name of the app that is meant."""
    target = target_of(shell, app, remote)
    with open_named(shell, target.space) as space:
        yield space, target.app or only_app(space)


@contextmanager
def opened_while(
    shell: Shell, app: str | None, remote: str | None, work: Callable[[], T]
) -> Iterator[tuple[OpenSpace, str, T]]:
    """As `opened`, with what `work` returns: it is done while the host takes its time to answer."""
    from concurrent.futures import ThreadPoolExecutor

    from deployer.remote import ssh

    def later() -> T:
        ssh.load()  # first: the host is at work while the rest is loaded
        return work()

    target = target_of(shell, app, remote)
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(later)
        with open_named(shell, target.space) as space:
            yield space, target.app or only_app(space), result.result()


@contextmanager
def open_named(shell: Shell, space: str) -> Iterator[OpenSpace]:
    """The space of that name, open."""
    before = monotonic()
    with shell.opening(pointer_to(shell, space)) as found:
        shell.tell(Timing("connect", monotonic() - before))
        yield found


def pointer_to(shell: Shell, space: str) -> Pointer:
    """What this machine knows of a space that has hosts; SpaceUnknown, NoHostsYet."""
    if space not in shell.pointers.names():
        raise SpaceUnknown(space, ", ".join(shell.pointers.names()) or "none")
    pointer = shell.pointers.load(space)
    if pointer.kind == "aws" and pointer.ledger is None:
        raise NoHostsYet(space)
    return pointer


def only_app(space: OpenSpace) -> str:
    """The app of a space that has one."""
    names = [app.name for app in space.ledger.apps()]
    if not names:
        raise NoApp
    if len(names) > 1:
        raise SeveralApps("\n".join(f"{space.space.name}/{name}" for name in names))
    return names[0]


def target_of(shell: Shell, app: str | None, remote: str | None) -> Target:
    """What is meant, as far as this machine knows."""
    here = remotes(shell.folder)
    if app is not None:
        return _named(shell, app, here)
    if remote is not None:
        return _of_remote(remote, here)
    if from_env := shell.env.get("DEPLOYER_APP"):
        return _named(shell, from_env, here)
    if here:
        return _of_remotes(here)
    name, spaces = manifest(shell.folder)
    if name is not None:
        return Target(space_of(shell, None, proposed=spaces), name)
    return Target(space_of(shell, None, missing=NoApp()), None)


def space_of(shell: Shell, flag: str | None, *, proposed: Sequence[str] = (), missing: NoApp | None = None) -> str:
    """Which space: the flag, DEPLOYER_SPACE, the one that the checkout's remotes agree on, the one that deployer.toml
    proposes, the only one there is."""
    known = shell.pointers.names()
    if flag or shell.env.get("DEPLOYER_SPACE"):
        return flag or shell.env["DEPLOYER_SPACE"]
    candidates = {remote.space for remote in remotes(shell.folder)} or set(proposed) & set(known) or set(known)
    if not candidates:
        raise NoSpace
    if len(candidates) > 1:
        raise missing or SeveralSpaces(", ".join(sorted(candidates)))
    return candidates.pop()


def _named(shell: Shell, text: str, here: Sequence[Remote]) -> Target:
    space, slash, app = text.rpartition("/")
    if slash:
        return Target(space, app)
    spaces = sorted({remote.space for remote in here if remote.app == text})
    if len(spaces) == 1:
        return Target(spaces[0], text)
    if len(spaces) > 1:
        raise SeveralApps("\n".join(f"{space}/{text}" for space in spaces))
    declared, proposed = manifest(shell.folder)
    return Target(space_of(shell, None, proposed=proposed if declared == text else ()), text)


def _of_remote(name: str, here: Sequence[Remote]) -> Target:
    for remote in here:
        if remote.name == name:
            return Target(remote.space, remote.app)
    raise RemoteUnknown(name, ", ".join(remote.name for remote in here) or "none")


def _of_remotes(here: Sequence[Remote]) -> Target:
    targets = {(remote.space, remote.app) for remote in here}
    if len(targets) > 1:
        raise SeveralApps("\n".join(f"{r.space}/{r.app} (remote {r.name})" for r in here))
    return Target(*targets.pop())


def manifest(folder: Path) -> tuple[str | None, tuple[str, ...]]:
    """The app that deployer.toml names, and the spaces that it proposes."""
    found = _toml(folder)
    name = found.get("app")
    return (name if isinstance(name, str) else None), tuple(proposals(folder))


def is_in_aws(shell: Shell, name: str) -> bool:
    """Whether that is a space in AWS: this machine knows it as one, or knows none of that name and deployer.toml
    describes it."""
    if name in shell.pointers.names():
        return shell.pointers.load(name).kind == "aws"
    return name in proposals(shell.folder)


def proposals(folder: Path) -> dict[str, Any]:
    """What stands in deployer.toml below `[space.NAME]`, by name."""
    found = _toml(folder).get("space")
    return found if isinstance(found, dict) else {}


def _toml(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableFile(str(path), str(error)) from error
