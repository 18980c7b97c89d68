"""The agent's `give` call: layers of an app for another host, which asks for what it lacks as it would of a laptop.

-> {"call": "give", "app", "layers": [DIGEST]}
<- {"event": "has", "layers": [...]}               those of them that stand here
-> {"manifests": [DIGEST]}                         again and again, or never
<- each of them {"event": "manifest", "manifest": DIGEST} and the manifest, by zlib
-> {"blobs": true} and the names of blobs, a line each, by zlib
<- {"event": "stream", "stream": "zlib", "raw": bytes, "blobs": n}, then {"event": "chunk"} and bytes, again and again
<- {"result": {}}
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.layers import checked_digest, locked
from deployer.host.paths import AppPaths
from deployer.model.blob_header import HEADER
from deployer.model.names import is_app_name

PIECE = 1 << 18
LEVEL = 3


def give(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Answer what the other host asks for until it has been sent its blobs."""
    if not is_app_name(request["app"]):
        raise HostFailure("bad-request", {"reason": f"no app is called {request['app']!r}"})
    app = channel.paths.app(request["app"])
    digests = [checked_digest(digest) for digest in request["layers"]]
    with locked(app):
        channel.event({"event": "has", "layers": [one for one in digests if (app.layers / one).is_dir()]})
        while True:
            message, data = channel.receive()
            if "blobs" in message:
                _send(channel, app, zlib.decompress(data).decode().split("\n"))
                return {}
            for digest in message["manifests"]:
                manifest = (app.manifests / checked_digest(digest)).read_bytes()
                channel.event({"event": "manifest", "manifest": digest}, zlib.compress(manifest))


def _send(channel: Channel, app: AppPaths, names: Sequence[str]) -> None:
    blobs = [(name, blob_path(app, name)) for name in names]
    raw = sum(path.stat().st_size for _, path in blobs)
    channel.event({"event": "stream", "stream": "zlib", "raw": raw, "blobs": len(blobs)})
    deflater = zlib.compressobj(LEVEL)
    for piece in (piece for name, path in blobs for piece in pieces(name, path)):
        if packed := deflater.compress(piece):
            channel.event({"event": "chunk"}, packed)
    channel.event({"event": "chunk"}, deflater.flush())


def pieces(name: str, path: Path) -> Iterator[bytes]:
    """A blob as the stream has it: its header and its bytes."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        yield struct.pack(HEADER, bytes.fromhex(name[:64]), name.endswith("x"), size)
        yield from iter(lambda: file.read(PIECE), b"")


def blob_path(app: AppPaths, name: str) -> Path:
    """Where an app's blob of that name lies; `bad-request` where it is none."""
    checked_digest(name.removesuffix("x"))
    return app.blobs / name[:2] / name[2:]
