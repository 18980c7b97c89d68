"""Where a slug's blobs lie on this machine, and the stream that carries some of them to hosts."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deployer.model.blob_header import HEADER
from deployer.model.layer_archive import SHORT
from deployer.model.manifest import Entry, decode
from deployer.model.slug import BuiltLayer

PIECE = 1 << 20
LEVEL = 3  # of zstd: 94 MB in one second; 9 takes three and saves a tenth
MIDDLE = 1 << 19  # bytes; below that zstd's best takes a tenth of a second or two and saves a seventh
BEST = 19


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob's bytes on this machine: a file, or the target of a symbolic link. `size` in bytes."""

    name: str
    path: bytes
    size: int
    target: bytes | None = None

    def pieces(self) -> Iterator[bytes]:
        """Its header and its bytes, as the stream has them."""
        yield struct.pack(HEADER, bytes.fromhex(self.name[:64]), self.name.endswith("x"), self.size)
        if self.target is not None:
            yield self.target
            return
        with open(self.path, "rb") as file:  # noqa: PTH123 - paths are bytes here
            yield from _exactly(file, self.size)


def find(layers: Iterable[BuiltLayer], names: Iterable[str]) -> list[Blob]:
    """The blobs of these names, in the layers' order, where files of one kind stand together and pack well."""
    wanted = set(names)
    found = []
    for layer in layers:
        for entry in decode(_records_of(layer.manifest, wanted)):
            if entry.blob in wanted:
                wanted.discard(entry.blob)
                found.append(_blob(entry, layer.root))
    return found


def _records_of(manifest: bytes, names: Iterable[str]) -> bytes:
    """The records with these blobs' digests alone: a large layer has twenty thousand, and mostly none is wanted."""
    digests = {name[:64].encode() for name in names}
    return b"".join(record + b"\0" for record in manifest.split(b"\0") if digests and record[2:66] in digests)


def _blob(entry: Entry, root: Path) -> Blob:
    path = os.path.join(os.fsencode(root), entry.path)  # noqa: PTH118 - paths are bytes here
    if entry.kind == "l":
        target = os.readlink(path)  # noqa: PTH115 - paths are bytes here
        return Blob(entry.digest, path, len(target), target)
    return Blob(entry.blob or entry.digest, path, os.stat(path).st_size)  # noqa: PTH116 - paths are bytes here


def _exactly(file: IO[bytes], size: int) -> Iterator[bytes]:
    """`size` bytes of a file, padded where it has become shorter: the host sees by the digest that it changed."""
    while size:
        piece = file.read(min(size, PIECE)) or bytes(min(size, PIECE))
        size -= len(piece)
        yield piece


def compression(blobs: Sequence[Blob]) -> str:
    """How a stream of these blobs is compressed: `zlib` or `zstd`."""
    return "zlib" if sum(blob.size for blob in blobs) < SHORT else "zstd"


def compressed(blobs: Sequence[Blob]) -> Iterator[bytes]:
    """The stream, in chunks of a bounded size."""
    pieces = (piece for blob in blobs for piece in blob.pieces())
    if compression(blobs) == "zlib":
        return _deflated(pieces)
    return _packed_by_zstd(pieces, BEST if sum(blob.size for blob in blobs) < MIDDLE else LEVEL)


def _deflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield zlib.compress(b"".join(pieces), 9)


def _packed_by_zstd(pieces: Iterator[bytes], level: int) -> Iterator[bytes]:
    import zstandard

    chunker = zstandard.ZstdCompressor(level=level).chunker(chunk_size=PIECE >> 2)
    for piece in pieces:
        yield from chunker.compress(piece)
    yield from chunker.finish()  # type: ignore[no-untyped-call]
