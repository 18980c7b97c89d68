"""Files that are replaced whole, for good also after a power cut."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes, mode: int | None = None) -> bool:
    """Replace a file, and give it these permissions, if any are named; whether it differed."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content and mode in (None, path.stat().st_mode & 0o777):
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    if mode is not None:
        aside.chmod(mode)
    sync(aside)
    aside.rename(path)
    sync(path.parent)
    return True


def sync(path: Path) -> None:
    """Have what a file holds, or which names a folder has, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
