"""What is in a layer: the record of every path, its bytes, and the difference between two layers.

A manifest's encoding is a sequence of records `KIND SHA256 PATH NUL`, sorted by path as bytes. KIND is `f` (a file,
0644), `x` (a file, 0755), `l` (a symbolic link: the digest is of its target, which is a blob too) or `d` (a directory
without entries; others follow from their contents). A layer's digest is the sha256 of this encoding.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

KINDS = b"fxld"
MOST = 250_000  # entries of a layer: what an agent holds in memory on the smallest host
NOTHING = hashlib.sha256(b"").hexdigest()


class BadManifest(ValueError):
    """A record that no build of ours makes: an escaping path, an unknown kind, a broken order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer. `path` is relative, in the file system's own bytes."""

    kind: str
    digest: str
    path: bytes

    def encoded(self) -> bytes:
        """The record without its NUL."""
        return b"%s %s %s" % (self.kind.encode(), self.digest.encode(), self.path)

    @property
    def blob(self) -> str | None:
        """The name of the blob that holds its bytes: the digest, with `x` where executable; None for directories."""
        return None if self.kind == "d" else self.digest + ("x" if self.kind == "x" else "")


def encode(entries: Iterable[Entry]) -> bytes:
    """The manifest of these entries, whatever their order."""
    return b"".join(entry.encoded() + b"\0" for entry in sorted(entries, key=lambda entry: entry.path))


def decode(manifest: bytes) -> list[Entry]:
    """The entries of a manifest; BadManifest where one could leave the layer or two could meet, or of too many."""
    if (count := manifest.count(b"\0")) > MOST:
        raise BadManifest(f"{count} paths, and a layer has at most {MOST}")
    records = manifest.split(b"\0")
    if records.pop() != b"":
        raise BadManifest("the last record is cut off")
    entries = [_entry(record) for record in records]
    paths = [entry.path for entry in entries]
    if any(a >= b for a, b in itertools.pairwise(paths)):
        raise BadManifest("the records are not sorted")
    _refuse_crossings(entries)
    return entries


def digest(manifest: bytes) -> str:
    """The layer's digest."""
    return hashlib.sha256(manifest).hexdigest()


def delta(base: bytes, manifest: bytes) -> bytes:
    """What turns `base` into `manifest`: records `-PATH` and `+RECORD`, NUL-terminated."""
    old, new = set(base.split(b"\0")), set(manifest.split(b"\0"))
    gone = {record[67:] for record in old - new} - {record[67:] for record in new - old}
    return b"".join(b"-" + path + b"\0" for path in sorted(gone)) + b"".join(
        b"+" + record + b"\0" for record in sorted(new - old, key=lambda record: record[67:])
    )


def patch(base: bytes, changes: bytes) -> bytes:
    """The manifest that `delta` described."""
    records = {record[67:]: record for record in base.split(b"\0") if record}
    for change in changes.split(b"\0"):
        if change.startswith(b"-"):
            records.pop(change[1:], None)
        elif change:
            records[change[68:]] = change[1:]
    return b"".join(records[path] + b"\0" for path in sorted(records))


def _entry(record: bytes) -> Entry:
    kind, digest_, path = record[:1], record[2:66], record[67:]
    if kind not in (b"f", b"x", b"l", b"d") or record[1:2] + record[66:67] != b"  ":
        raise BadManifest(f"no record: {record[:90]!r}")
    if len(digest_) != 64 or digest_.strip(b"0123456789abcdef"):
        raise BadManifest(f"no digest: {record[:90]!r}")
    if any(part in (b"", b".", b"..") for part in path.split(b"/")):
        raise BadManifest(f"a path that leaves its layer: {path!r}")
    return Entry(kind.decode(), digest_.decode(), path)


def _refuse_crossings(entries: list[Entry]) -> None:
    """No entry may lie below another one that is no directory: a link there would lead the write elsewhere."""
    leaves = {entry.path for entry in entries}
    for entry in entries:
        parent = entry.path
        while b"/" in parent:
            parent = parent.rpartition(b"/")[0]
            if parent in leaves:
                raise BadManifest(f"{entry.path!r} lies below {parent!r}, which is no directory")
