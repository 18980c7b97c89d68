"""What this machine remembers of spaces: one small file each, nothing secret in it but the path of a key."""

from __future__ import annotations

import json
import os
from pathlib import Path

from deployer.errors.apps import NoSpace, SpaceUnknown
from deployer.model.codec import decode, encode
from deployer.model.space import Pointer


def folder() -> Path:
    """Where pointers lie: DEPLOYER_HOME/spaces, else XDG_CONFIG_HOME/deployer/spaces."""
    if chosen := os.environ.get("DEPLOYER_HOME"):
        return Path(chosen).absolute() / "spaces"
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "deployer" / "spaces"


def names() -> list[str]:
    """The spaces that this machine knows, by name."""
    return sorted(path.stem for path in folder().glob("*.json"))


def load(name: str) -> Pointer:
    """The pointer to a space; NoSpace where this machine knows none at all, SpaceUnknown where not this one."""
    path = folder() / f"{name}.json"
    if name in names():
        return decode(Pointer, json.loads(path.read_text()))
    if not names():
        raise NoSpace
    raise SpaceUnknown(name, ", ".join(names()))


def save(pointer: Pointer) -> None:
    """Remember a space."""
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / f"{pointer.name}.json"
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(encode(pointer), indent=2) + "\n")
    aside.rename(path)


def remove(name: str) -> None:
    """Forget a space; no error where it is not known."""
    (folder() / f"{name}.json").unlink(missing_ok=True)
