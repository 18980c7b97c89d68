"""Where this machine keeps what is ours: caches, data, and the pointers to spaces (XDG base directories).

DEPLOYER_CACHE, DEPLOYER_DATA and DEPLOYER_HOME move them. Under sudo, sandboxes and pointers lie in the home of the
person who typed it, so that everything else works without sudo; what root makes there is handed over to that person.
The cache is root's own then: a build of that person's could neither use nor replace what root has made.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def cache_folder() -> Path:
    """What can be made again: platform images, layers, build caches. DEPLOYER_CACHE, else XDG_CACHE_HOME/deployer."""
    roots = _home_of(0) if _person() else Path.home()
    return _folder("DEPLOYER_CACHE", "XDG_CACHE_HOME", roots / ".cache")


def data_folder() -> Path:
    """What cannot: sandboxes. DEPLOYER_DATA, else XDG_DATA_HOME/deployer."""
    return _folder("DEPLOYER_DATA", "XDG_DATA_HOME", home() / ".local/share")


def config_folder() -> Path:
    """Pointers to spaces. DEPLOYER_HOME, else XDG_CONFIG_HOME/deployer."""
    return _folder("DEPLOYER_HOME", "XDG_CONFIG_HOME", home() / ".config")


def make(folder: Path) -> Path:
    """The folder, made where it is missing, with those above it; all that are new belong to the person."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        hand_over(path)
    return folder


def hand_over(path: Path) -> None:
    """Under sudo, give a file or a folder to the person who typed it, if it lies in a folder of that person's."""
    uid = _person()
    if uid and path.parent.stat().st_uid == uid:
        os.chown(path, uid, path.parent.stat().st_gid, follow_symlinks=False)


@contextmanager
def readable() -> Iterator[None]:
    """Files that everybody may read are so, whatever the umask: roots of machines, and what sudo leaves a person."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def open_lock(path: Path) -> IO[str]:
    """The file of a lock, made for its owner alone: whoever may read it may hold it, and make all builds wait."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w")


def home() -> Path:
    """The person's home."""
    uid = _person()
    return _home_of(uid) if uid else Path.home()


def _folder(ours: str, xdg: str, default: Path) -> Path:
    if chosen := os.environ.get(ours):
        return Path(chosen).absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else default) / "deployer"


def _person() -> int | None:
    """Who typed sudo, as a uid; None where nobody did."""
    uid = os.environ.get("SUDO_UID", "")
    return int(uid) if os.geteuid() == 0 and uid.isdecimal() and uid != "0" else None


def _home_of(uid: int) -> Path:
    try:
        return Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return Path.home()
