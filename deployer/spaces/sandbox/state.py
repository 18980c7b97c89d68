"""Whether a sandbox can be dialled, as far as this machine knows: without it, a stopped one's addresses would lead to
whoever has them on the network outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deployer.errors.spaces import SpaceFolderGone, SpaceStopped
from deployer.model.space import Pointer
from deployer.spaces.sandbox import sudo
from deployer.spaces.sandbox.process import noted


def check_runs(pointer: Pointer, *, first: bool = True) -> None:
    """SpaceFolderGone or SpaceStopped, with the line to type, where the host with a sandbox's store cannot answer, or
    no host where the store is none of theirs, or where it is not the `first` one that is needed; nothing for other
    kinds of spaces."""
    if pointer.kind != "sandbox" or pointer.folder is None:
        return
    folder = Path(pointer.folder)
    if not (folder / "sandbox.json").exists():
        raise SpaceFolderGone(pointer.name, pointer.folder)
    only_first = first and pointer.store is None
    needed = [folder / "hosts" / pointer.first.id] if only_first else list((folder / "hosts").iterdir())
    if all(noted(host / "process.json") is None for host in needed):
        words = ("spaces:start", pointer.name)
        command = " ".join(("deployer", *words)) if os.geteuid() == 0 else sudo.line(words, sys.argv[0], os.environ)
        raise SpaceStopped(pointer.name, pointer.first.id, command)
