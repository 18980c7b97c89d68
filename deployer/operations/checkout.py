"""The git checkout that a command runs in: its remotes that lead to apps."""

from __future__ import annotations

import base64
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deployer.errors.checkout import GitRefused, NoCheckout, NoSuchCommit
from deployer.model.names import is_app_name, is_space_name

SCHEME = "deployer::"
DEFAULT_REMOTE = "deployer"


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A git remote `deployer::SPACE/APP`."""

    name: str
    space: str
    app: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a checkout. `as_base64` is the raw commit, which the ledger keeps for clones that do not have it."""

    git_dir: Path
    digest: str
    as_base64: str


def url(space: str, app: str) -> str:
    """The URL of an app's remote."""
    return f"{SCHEME}{space}/{app}"


def parse_url(text: str) -> tuple[str, str] | None:
    """(space, app) of `deployer::SPACE/APP`; None for every other URL."""
    space, slash, app = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME) or not slash or not is_space_name(space) or not is_app_name(app):
        return None
    return space, app


def remotes(folder: Path) -> tuple[Remote, ...]:
    """The remotes of the checkout around `folder` that lead to apps; none outside a checkout or without git."""
    try:
        listed = _git(folder, "config", "-z", "--get-regexp", r"^remote\..*\.url$")
    except GitRefused:
        return ()
    found = []
    for entry in filter(None, listed.split("\0")):
        key, _, value = entry.partition("\n")
        if target := parse_url(value):
            found.append(Remote(key.removeprefix("remote.").removesuffix(".url"), *target))
    return tuple(sorted(found))


def is_checkout(folder: Path) -> bool:
    """Whether git tracks this folder."""
    try:
        return _git(folder, "rev-parse", "--is-inside-work-tree").strip() == "true"
    except GitRefused:
        return False


def commit(folder: Path, ref: str) -> Commit:
    """The commit that `ref` names here; NoSuchCommit where it names none, NoCheckout where there are no commits."""
    if not is_checkout(folder):
        raise NoCheckout
    try:
        digest = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").strip()
    except GitRefused as error:
        raise NoSuchCommit(ref, error.reason) from error
    git_dir = Path(_git(folder, "rev-parse", "--absolute-git-dir").strip())
    return Commit(git_dir, digest, base64.b64encode(_git_bytes(folder, "cat-file", "commit", digest)).decode())


def describe(folder: Path) -> str:
    """What a release of the folder is called: `Deploy 1a2b3c4d`, with a word about what is not committed."""
    try:
        head = _git(folder, "rev-parse", "--short=8", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--", ".").strip()
    except GitRefused:
        return f"Deploy {folder.resolve().name}"
    return f"Deploy {head} with changes" if changed else f"Deploy {head}"


def set_remote(folder: Path, remote: Remote) -> None:
    """Make the remote lead there, whether it was there or not."""
    known = {name for name in _git(folder, "remote").split("\n") if name}
    verb = "set-url" if remote.name in known else "add"
    _git(folder, "remote", verb, "--", remote.name, url(remote.space, remote.app))


def remove_remotes(folder: Path, space: str, app: str | None = None) -> list[str]:
    """Remove every remote that leads to the app, or to any app of the space; their names."""
    gone = [remote.name for remote in remotes(folder) if remote.space == space and app in (None, remote.app)]
    for name in gone:
        _git(folder, "remote", "remove", name)
    return gone


def remote_for(folder: Path, space: str, app: str) -> Remote | None:
    """The remote that a new app gets: `deployer`, or one like its space where there is a `deployer` already; None where
    both are taken, or where there is no checkout."""
    if not is_checkout(folder):
        return None
    taken = _git(folder, "remote").split("\n")
    return next((Remote(name, space, app) for name in (DEFAULT_REMOTE, space) if name not in taken), None)


def _git(folder: Path, *words: str) -> str:
    return _git_bytes(folder, *words).decode(errors="surrogateescape")


def _git_bytes(folder: Path, *words: str) -> bytes:
    """Run git in the folder, whatever a hook or an editor has put into the environment for another repository."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], env=env, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise GitRefused("git " + " ".join(words), "There is no git on this machine.") from error
    except subprocess.CalledProcessError as error:
        raise GitRefused("git " + " ".join(words), error.stderr.decode(errors="replace").strip()) from error
    return done.stdout
