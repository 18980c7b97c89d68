"""Files that are replaced whole, for good also after a power cut."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes) -> bool:
    """Replace a file; whether it differed."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
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
