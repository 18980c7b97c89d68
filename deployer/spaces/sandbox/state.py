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


def check_runs(pointer: Pointer) -> None:
    """SpaceFolderGone or SpaceStopped, with the line to type, where a sandbox's first host cannot answer; nothing for
    other kinds of spaces."""
    if pointer.kind != "sandbox" or pointer.folder is None:
        return
    folder = Path(pointer.folder)
    if not (folder / "sandbox.json").exists():
        raise SpaceFolderGone(pointer.name, pointer.folder)
    if noted(folder / "hosts" / pointer.first.id / "process.json") is None:
        words = ("spaces:start", pointer.name)
        command = " ".join(("deployer", *words)) if os.geteuid() == 0 else sudo.line(words, sys.argv[0], os.environ)
        raise SpaceStopped(pointer.name, pointer.first.id, command)
