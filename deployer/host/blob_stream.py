"""The stream of blobs that `receive` takes: for each one a header (digest, mode, length), then its bytes.

The stream is compressed as a whole, by zlib where it is short and by zstd where it is not, and travels in messages
`{"chunk": true, "bytes": N}` until `{"end": true}`.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel, ChannelClosed
from deployer.host.layers import Shelf
from deployer.model.blob_header import HEADER

PIECE = 1 << 20


class Received:
    """How many compressed bytes came."""

    def __init__(self) -> None:
        self.bytes = 0


def chunks(channel: Channel, received: Received) -> Iterator[bytes]:
    """The compressed stream."""
    while True:
        message, data = channel.receive()
        if "end" in message:
            return
        received.bytes += len(data)
        yield data


def inflated(compressed: Iterator[bytes]) -> Iterator[bytes]:
    """What zlib made of a stream, in pieces of bounded size."""
    inflater = zlib.decompressobj()
    for chunk in compressed:
        yield inflater.decompress(chunk, PIECE)
        while inflater.unconsumed_tail:
            yield inflater.decompress(inflater.unconsumed_tail, PIECE)


def unpacked_by_zstd(compressed: Iterator[bytes]) -> Iterator[bytes]:
    """What zstd made of a stream, by the host's own program: Python learnt it only in 3.14."""
    with subprocess.Popen(["/usr/bin/zstd", "-dcq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as zstd:
        assert zstd.stdin is not None and zstd.stdout is not None
        feeder = threading.Thread(target=_feed, args=(compressed, zstd), daemon=True)
        feeder.start()
        try:
            while piece := zstd.stdout.read1(PIECE):  # type: ignore[attr-defined]
                yield piece
        except BaseException:
            zstd.kill()
            raise
        feeder.join()


def _feed(compressed: Iterator[bytes], zstd: subprocess.Popen[bytes]) -> None:
    assert zstd.stdin is not None
    with suppress(BrokenPipeError, ChannelClosed):
        for chunk in compressed:
            zstd.stdin.write(chunk)
        zstd.stdin.close()


DECOMPRESSORS = {"zlib": inflated, "zstd": unpacked_by_zstd}


def store_blobs(pieces: Iterator[bytes], shelf: Shelf, lacking: set[str]) -> int:
    """Put every blob of the stream that is lacking on the shelf, verified; how many. `bad-blob` where one is not what
    its digest says, or where one never came."""
    reader = _Reader(pieces)
    wanted = set(lacking)
    while head := reader.header():
        digest, executable, length = struct.unpack(HEADER, head)
        name = digest.hex() + ("x" if executable else "")
        if name in wanted:
            _store_one(reader, shelf, name, length)
            wanted.discard(name)
        else:
            for _ in reader.body(length):
                pass
    if wanted:
        raise HostFailure("bad-blob", {"reason": f"{len(wanted)} files never came, {min(wanted)} among them"})
    return len(lacking)


def _store_one(reader: _Reader, shelf: Shelf, name: str, length: int) -> None:
    hashed = hashlib.sha256()
    with shelf.adding(name) as descriptor:
        for piece in reader.body(length):
            hashed.update(piece)
            _write_all(descriptor, piece)
        if hashed.hexdigest() != name[:64]:
            raise HostFailure("bad-blob", {"reason": f"a file changed while it was sent: {name}"})


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


class _Reader:
    """Exact numbers of bytes out of pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0

    def header(self) -> bytes:
        """The next header; empty at the end of the stream."""
        head = b"".join(self._some(struct.calcsize(HEADER)))
        if head and len(head) < struct.calcsize(HEADER):
            raise HostFailure("bad-blob", {"reason": "the stream was cut off"})
        return head

    def body(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes in pieces."""
        came = 0
        for piece in self._some(length):
            came += len(piece)
            yield piece
        if came < length:
            raise HostFailure("bad-blob", {"reason": "the stream was cut off"})

    def _some(self, length: int) -> Iterator[bytes]:
        while length:
            if self._at == len(self._piece):
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._piece, self._at = piece, 0
                continue
            taken = self._piece[self._at : self._at + length]
            self._at += len(taken)
            length -= len(taken)
            yield taken
