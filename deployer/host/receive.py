"""The agent's `receive` call: the layers of a slug, of which it asks for what it does not have.

-> {"call": "receive", "app", "token", "uid", "layers": [{"digest"}], "deltas": n}
-> n times {"manifest": DIGEST, "base": DIGEST} and what turns the base's manifest into this one, by zlib
<- {"event": "manifests", "digests": [...]}        where it knows no manifest: no such base here
-> each of them {"manifest": DIGEST} and the manifest, by zlib
<- {"event": "blobs"} and the names of the blobs that it lacks, a line each, by zlib; not said where it lacks none
-> {"stream": "zlib" | "zstd", "raw": bytes, "blobs": n}
<- {"event": "go"}, or the error `disk-full`
-> {"chunk": true} and bytes, again and again; {"end": true}
<- {"result": {"bytes", "blobs"}}
"""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.blob_stream import DECOMPRESSORS, Received, chunks, store_blobs
from deployer.host.channel import Channel
from deployer.host.layers import Shelf, build, checked_digest, entries_of, locked, remove_tree, sync
from deployer.host.paths import AppPaths
from deployer.model.manifest import Entry, patch
from deployer.model.manifest import digest as digest_of

LARGEST_MANIFEST = 64 << 20  # bytes
RESERVE = 64 << 20  # bytes that stay free: databases and journals live on the same disk
BLOCK = 4096  # what a small file really takes


def receive(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Make every layer of the request stand on this host; `{bytes, blobs}` that came for it."""
    app = channel.paths.app(request["app"])
    wanted = [checked_digest(layer["digest"]) for layer in request["layers"]]
    with locked(app), in_the_making(app):
        missing = [digest for digest in dict.fromkeys(wanted) if not (app.layers / digest).is_dir()]
        manifests = _manifests(missing, request.get("deltas", 0), app, channel)
        return _complete(manifests, Shelf(app, request["uid"]), app, request["uid"], channel)


@contextmanager
def in_the_making(app: AppPaths) -> Iterator[None]:
    """What is made aside goes, however the block ends."""
    try:
        yield
    finally:
        remove_tree(app.incoming)


def _manifests(missing: Sequence[str], deltas: int, app: AppPaths, channel: Channel) -> dict[str, bytes]:
    """The manifests of the missing layers: from deltas where the base is here, else as the caller sends them."""
    known: dict[str, bytes] = {}
    for _ in range(deltas):
        message, data = channel.receive()
        base = app.manifests / checked_digest(message["base"])
        if message["manifest"] in missing and base.exists():
            known[message["manifest"]] = patch(base.read_bytes(), inflated(data))
    unknown = [digest for digest in missing if not _knows(known, digest)]
    if unknown:
        channel.event({"event": "manifests", "digests": unknown})
    for _ in unknown:
        message, data = channel.receive()
        known[message["manifest"]] = inflated(data)
    for digest in missing:
        if not _knows(known, digest):
            raise HostFailure("bad-manifest", {"reason": f"the manifest of layer {digest} is not what it should be"})
    return {digest: known[digest] for digest in missing}


def _knows(manifests: dict[str, bytes], digest: str) -> bool:
    return digest in manifests and digest_of(manifests[digest]) == digest


def inflated(data: bytes) -> bytes:
    """A manifest that zlib made small; `bad-manifest` where it is larger than any build's."""
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(data, LARGEST_MANIFEST)
    if inflater.unconsumed_tail:
        raise HostFailure("bad-manifest", {"reason": f"a manifest of more than {LARGEST_MANIFEST} bytes"})
    return inflated


def _complete(manifests: dict[str, bytes], shelf: Shelf, app: AppPaths, uid: int, channel: Channel) -> dict[str, Any]:
    if not manifests:
        return {"bytes": 0, "blobs": 0}
    layers = {digest: entries_of(manifest) for digest, manifest in manifests.items()}
    lacking = shelf.lacks(entry.blob for entries in layers.values() for entry in entries if entry.blob)
    received = Received()
    with making_room(app) as room:
        if lacking:
            _fetch(lacking, shelf, channel, received, room)
        stand(manifests, layers, shelf, app, uid)
    return {"bytes": received.bytes, "blobs": len(lacking)}


def stand(
    manifests: Mapping[str, bytes], layers: Mapping[str, Sequence[Entry]], shelf: Shelf, app: AppPaths, uid: int
) -> None:
    """Make layers of their entries, whose blobs are all on the shelf: aside, and then into place."""
    for digest, entries in layers.items():
        build(entries, shelf, app.incoming / digest, uid)
        (app.incoming / f"{digest}.manifest").write_bytes(manifests[digest])
    sync(app.incoming)
    keep(layers, shelf, app)


def keep(digests: Iterable[str], shelf: Shelf, app: AppPaths) -> None:
    """Rename everything into place: first blobs, then manifests, at last layers, so that a layer means all of it."""
    shelf.keep()
    for folder in (app.manifests, app.layers):
        folder.mkdir(exist_ok=True)
    for digest in digests:
        (app.incoming / f"{digest}.manifest").rename(app.manifests / digest)
        (app.incoming / digest).rename(app.layers / digest)


class Room:
    """The disk space that a stream needs, in bytes."""

    def __init__(self, app: AppPaths) -> None:
        self._app = app
        self.needed = 0

    def require(self, needed: int) -> None:
        """Refuse what does not fit beside the reserve."""
        self.needed = needed
        if needed + RESERVE > shutil.disk_usage(self._app.root).free:
            raise self.failure()

    def failure(self) -> HostFailure:
        """`disk-full`, with numbers."""
        free = max(0, shutil.disk_usage(self._app.root).free - RESERVE)
        return HostFailure("disk-full", {"path": os.fspath(self._app.root), "needed": self.needed, "free": free})


@contextmanager
def making_room(app: AppPaths) -> Iterator[Room]:
    """Turn the system's "no space left" into `disk-full`; what was made so far goes when `incoming` goes."""
    room = Room(app)
    try:
        yield room
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise room.failure() from error


def _fetch(lacking: set[str], shelf: Shelf, channel: Channel, received: Received, room: Room) -> None:
    channel.event({"event": "blobs"}, zlib.compress("\n".join(sorted(lacking)).encode()))
    header, _ = channel.receive()
    room.require(header["raw"] + BLOCK * header["blobs"])
    channel.event({"event": "go"})
    store_blobs(DECOMPRESSORS[header["stream"]](chunks(channel, received)), shelf, lacking)
