"""A layer as one object, `layers/DIGEST` in a store: a header, the manifest by zlib, the stream of all its blobs."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"deployer layer 1"
SHORT = 1 << 18  # bytes; below that zlib packs as well, and needs no program on the host
_FORM = ">16s4sQQQ"
SIZE = struct.calcsize(_FORM)


@dataclass(frozen=True, slots=True)
class Header:
    """`stream` is how the blobs are compressed, `zlib` or `zstd`; `manifest` is the length in bytes of what zlib made
    of the manifest; `raw` the sum of all blobs in bytes, `blobs` how many there are."""

    stream: str
    manifest: int
    raw: int
    blobs: int

    def encode(self) -> bytes:
        """What an archive begins with."""
        return struct.pack(_FORM, MAGIC, self.stream.encode(), self.manifest, self.raw, self.blobs)


def decode(head: bytes) -> Header:
    """It; ValueError where this is no archive of ours."""
    if len(head) != SIZE or not head.startswith(MAGIC):
        raise ValueError("this is no layer's archive")
    _, stream, manifest, raw, blobs = struct.unpack(_FORM, head)
    return Header(stream.rstrip(b"\0").decode(errors="replace"), manifest, raw, blobs)
