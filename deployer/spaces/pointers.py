"""What this machine remembers of spaces: one small file each, nothing secret in it but the path of a key."""

from __future__ import annotations

import json
import os
from pathlib import Path

from deployer.build import folders
from deployer.errors.apps import NoSpace, SpaceUnknown
from deployer.errors.spaces import PointerUnreadable
from deployer.model.codec import decode, encode
from deployer.model.space import Pointer


def folder() -> Path:
    """Where pointers lie: DEPLOYER_HOME/spaces, else XDG_CONFIG_HOME/deployer/spaces; under sudo, the person's."""
    return folders.config_folder() / "spaces"


def names() -> list[str]:
    """The spaces that this machine knows, by name."""
    return sorted(path.stem for path in folder().glob("*.json"))


def load(name: str) -> Pointer:
    """The pointer to a space; NoSpace where this machine knows none at all, SpaceUnknown where not this one."""
    path = folder() / f"{name}.json"
    if name in names():
        try:
            return decode(Pointer, json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PointerUnreadable(name, str(path), f"{type(error).__name__}: {error}") from error
    if not names():
        raise NoSpace
    raise SpaceUnknown(name, ", ".join(names()))


def save(pointer: Pointer) -> None:
    """Remember a space."""
    path = folders.make(folder()) / f"{pointer.name}.json"
    aside = path.with_suffix(f".new{os.getpid()}")
    aside.write_text(json.dumps(encode(pointer), indent=2) + "\n")
    folders.hand_over(aside)
    aside.rename(path)


def remove(name: str) -> None:
    """Forget a space; no error where it is not known."""
    (folder() / f"{name}.json").unlink(missing_ok=True)
