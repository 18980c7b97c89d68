"""From a folder to a layer: its manifest and what its ELF files need, in one pass over the files."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deployer.build import elf
from deployer.build.source import most_of
from deployer.errors.build import TooManyFiles
from deployer.model import manifest
from deployer.model.manifest import MOST, NOTHING, Entry

MAPPED = 1 << 20  # bytes: larger files are mapped, not read
Known = Callable[[bytes, os.stat_result], str | None]


@dataclass(slots=True)
class Scanned:
    """A layer's content: `needs` has the libraries that each ELF file of `machine` needs, `offers` those in the
    layer."""

    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    needs: dict[str, list[str]] = field(default_factory=dict)
    offers: set[str] = field(default_factory=set)

    @property
    def encoded(self) -> bytes:
        """The layer's manifest."""
        return manifest.encode(self.entries)


@dataclass(frozen=True, slots=True)
class Scope:
    """What of `root` is scanned: everything but the paths in `without`. `known` may tell the digest of a file by
    its path and status, so that it need not be read."""

    root: Path
    machine: str
    without: frozenset[bytes] = frozenset()
    known: Known = lambda path, status: None


def scan(scope: Scope) -> Scanned:
    """Everything below the root; TooManyFiles. Paths are relative to it, in the file system's bytes."""
    found = Scanned()
    _folder(scope, found, os.fsencode(scope.root), b"")
    if len(found.entries) > MOST:
        counts = Counter(os.fsdecode(b"/".join(entry.path.split(b"/")[1:4])) for entry in found.entries)
        raise TooManyFiles("A layer of the slug", MOST, most_of(counts))
    return found


def _folder(scope: Scope, found: Scanned, path: bytes, prefix: bytes) -> bool:
    """Whether something was there, also where none of it counts."""
    with os.scandir(path) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        name = prefix + entry.name
        if name in scope.without:
            continue
        if not entry.is_dir(follow_symlinks=False):
            _file(scope, found, entry, name)
        elif not _folder(scope, found, entry.path, name + b"/"):
            found.entries.append(Entry("d", NOTHING, name))
    return bool(entries)


def _file(scope: Scope, found: Scanned, entry: os.DirEntry[bytes], name: bytes) -> None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(Path(os.fsdecode(entry.path)).readlink())
        found.entries.append(Entry("l", hashlib.sha256(target).hexdigest(), name))
        _offer(found, name)
        return
    if not stat.S_ISREG(status.st_mode):
        return
    kind = "x" if status.st_mode & 0o100 else "f"
    digest = scope.known(name, status) or _content(scope, found, entry.path, name, status.st_size)
    found.entries.append(Entry(kind, digest, name))
    found.size += status.st_size


def _content(scope: Scope, found: Scanned, path: bytes, name: bytes, size: int) -> str:
    with io.FileIO(path) as stream:
        if size < MAPPED:
            return _look(scope, found, name, stream.read())
        with mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as view:
            return _look(scope, found, name, view)


def _look(scope: Scope, found: Scanned, name: bytes, content: elf.Buffer) -> str:
    if bytes(content[:4]) == elf.MAGIC:
        file = elf.read(content)
        if file and file.machine == scope.machine:
            found.needs[os.fsdecode(name)] = list(file.needed)
            found.offers.add(file.soname or _name(name))
            _offer(found, name)
    return hashlib.sha256(content).hexdigest()


def _offer(found: Scanned, name: bytes) -> None:
    """A library answers to its file's name, too, whatever it calls itself."""
    if b".so" in name:
        found.offers.add(_name(name))


def _name(path: bytes) -> str:
    return os.fsdecode(path.rpartition(b"/")[2])


def unchanged_since(original: Path, entries: Mapping[bytes, str]) -> Known:
    """Digests for a copy (with times) of a folder whose digests are known: by size and time of the last change."""

    def known(path: bytes, status: os.stat_result) -> str | None:
        digest = entries.get(path)
        if digest is None:
            return None
        try:
            before = os.lstat(os.fsencode(original) + b"/" + path)
        except FileNotFoundError:
            return None
        same = (before.st_size, before.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
        return digest if same else None

    return known
