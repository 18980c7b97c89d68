"""Unpacks an archive of programs: regular files and folders below the folder that is expected, and nothing else.

Written here rather than by tarfile's `data` filter: Debian 12's Python has none, and this lets less through.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from deployer.errors.archives import ArchiveBroken
from deployer.spaces.aws.archives import Archive


class Refused(Exception):
    """What is wrong with the archive."""


# The last two: a path that is in it twice, once as a file; the folder was empty before.
DAMAGED = (Refused, tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, FileExistsError, NotADirectoryError)


def unpack(archive: Archive, file: IO[bytes], place: Path, largest: int, instead: str) -> None:
    """Unpack to `place`, which becomes a private folder, on disk when this returns; at most `largest` bytes in all.
    ArchiveBroken."""
    program = PurePosixPath(archive.program)
    place.mkdir(mode=0o700)
    with _explained(archive, instead), tarfile.open(fileobj=file, mode="r:gz") as members:
        for member, path in _below(members, archive.top, largest):
            _write(members, member, _inside(place / program.parent, path))
        if not os.access(place / program, os.X_OK):
            raise Refused(f"there is no program {program.name} in it")


@contextmanager
def _explained(archive: Archive, instead: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise ArchiveBroken(archive.what, archive.url, str(error), instead) from error


def _below(members: tarfile.TarFile, top: str, largest: int) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """What there is below the folder `top`, with its path there."""
    size = 0
    for member in members:
        path = PurePosixPath(member.name)
        size += member.size
        if not (member.isreg() or member.isdir()):
            raise Refused(f"{member.name!r} is neither a file nor a folder")
        if member.isdir() and path in PurePosixPath(top).parents:
            continue
        if path.is_absolute() or ".." in path.parts or not path.is_relative_to(top):
            raise Refused(f"{member.name!r} lies outside of {top or 'it'}")
        if size > largest:
            raise Refused(f"it holds more than {largest} bytes")
        yield member, path.relative_to(top)


def _inside(place: Path, path: PurePosixPath) -> Path:
    target = place / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return target


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(mode=0o700, exist_ok=True)
        return
    content = members.extractfile(member)
    assert content
    mode = 0o700 if member.mode & 0o100 else 0o600
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
