"""Files in folders that programs of the build have written to: what lies there may be a link that leads out of it.

Whoever builds as root would otherwise read or write the machine's own files through such a link.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path


def make_folder(path: Path) -> None:
    """A real folder at `path`; a link or a file that lies there goes."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.unlink()
    path.mkdir(exist_ok=True)


def read(path: Path) -> bytes | None:
    """A plain file's content; None for a link and for anything else that is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def write(path: Path, content: bytes) -> None:
    """A new file in the place of whatever lay there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
