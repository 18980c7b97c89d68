"""Layers out of the space's store, `layers/DIGEST`: how a host of AWS gets what it runs, with no laptop there.

What an archive says is believed as little as what a laptop sends: its manifest is the one that its digest names, and
every blob is hashed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from deployer.errors.base import HostFailure
from deployer.host import myself
from deployer.host.aws import Unanswered
from deployer.host.blob_stream import DECOMPRESSORS, store_blobs
from deployer.host.channel import Channel
from deployer.host.layers import Shelf, checked_digest, entries_of, locked
from deployer.host.paths import AppPaths
from deployer.host.receive import BLOCK, LARGEST_MANIFEST, in_the_making, inflated, making_room, stand
from deployer.model import layer_archive
from deployer.model.layer_archive import Header
from deployer.model.manifest import digest as digest_of
from deployer.store import keys

PIECE = 1 << 18


class Reader(Protocol):
    """Bytes that come."""

    def read(self, most: int, /) -> bytes:
        """Up to so many; none at the end."""
        ...


Opened = Callable[[str], AbstractContextManager[Reader | None]]
"""A large object of the store by its key, None where there is none."""


def fetch(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: have these layers of an app stand here, out of the store; `{bytes, blobs}` that were read for it."""
    digests = [checked_digest(digest) for digest in request["layers"]]
    store = myself.store_of(myself.remembered(channel.paths))
    return fetch_layers(channel.paths.app(request["app"]), int(request["uid"]), digests, store.opened)


def fetch_layers(app: AppPaths, uid: int, digests: Sequence[str], opened: Opened) -> dict[str, int]:
    """Make every layer stand that does not yet. `layer-missing`, `bad-manifest`, `bad-blob`, `disk-full`."""
    told = {"bytes": 0, "blobs": 0}
    with locked(app):
        for digest in [one for one in dict.fromkeys(digests) if not (app.layers / one).is_dir()]:
            with in_the_making(app), opened(keys.layer(digest)) as reader:
                if reader is None:
                    raise HostFailure("layer-missing", {"layer": digest, "reason": f"no layers/{digest} in the store"})
                coming = _Coming(reader)
                told["blobs"] += _one(app, uid, digest, coming)
                told["bytes"] += coming.bytes
    return told


def _one(app: AppPaths, uid: int, digest: str, coming: _Coming) -> int:
    header = _header(coming)
    manifest = _manifest(coming.exactly(header.manifest), digest)
    shelf = Shelf(app, uid)
    layers = {digest: entries_of(manifest)}
    lacking = shelf.lacks(entry.blob for entry in layers[digest] if entry.blob)
    app.incoming.mkdir(exist_ok=True)
    with making_room(app) as room:
        if lacking:
            room.require(header.raw + BLOCK * header.blobs)
            _store(header, coming, shelf, lacking)
        stand({digest: manifest}, layers, shelf, app, uid)
    return len(lacking)


def _header(coming: _Coming) -> Header:
    try:
        header = layer_archive.decode(coming.exactly(layer_archive.SIZE))
    except ValueError as error:
        raise HostFailure("bad-manifest", {"reason": str(error)}) from error
    if header.manifest > LARGEST_MANIFEST or header.stream not in DECOMPRESSORS:
        raise HostFailure("bad-manifest", {"reason": "this is no layer's archive"})
    return header


def _manifest(packed: bytes, digest: str) -> bytes:
    try:
        manifest = inflated(packed)
    except zlib.error as error:
        raise HostFailure("bad-manifest", {"reason": str(error)}) from error
    if digest_of(manifest) != digest:
        raise HostFailure("bad-manifest", {"reason": f"the manifest of layer {digest} is not what it should be"})
    return manifest


def _store(header: Header, coming: _Coming, shelf: Shelf, lacking: set[str]) -> None:
    """What ends in the middle is the network's fault where the network says so."""
    try:
        store_blobs(DECOMPRESSORS[header.stream](iter(coming)), shelf, lacking)
    except zlib.error as error:
        raise HostFailure("bad-blob", {"reason": str(error)}) from error
    except HostFailure as failure:
        raise (coming.broken or failure) from failure


class _Coming:
    """An archive as it comes. Its end is never an exception: zstd reads it in a thread of its own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.bytes = 0
        self.broken: Unanswered | None = None

    def exactly(self, length: int) -> bytes:
        """So many bytes, fewer where it ends before."""
        found = b""
        while len(found) < length and (piece := self._read(length - len(found))):
            found += piece
        return found

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._read(PIECE):
            yield piece

    def _read(self, most: int) -> bytes:
        try:
            piece = self._reader.read(most)
        except OSError as error:
            self.broken = Unanswered(str(error) or "the connection ended")
            return b""
        self.bytes += len(piece)
        return piece
