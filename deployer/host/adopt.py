"""The call `adopt`: layers that a build on this host has made become an app's, as if they had been received.

-> {"call": "adopt", "app", "token", "uid", "layers": [{"digest", "root"}]}
-> for each layer {"manifest": DIGEST} and the manifest
<- {"result": {"blobs"}}
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.layers import Shelf, build, checked_digest, entries_of, locked, sync
from deployer.host.receive import in_the_making, keep
from deployer.model.manifest import Entry
from deployer.model.manifest import digest as digest_of

PIECE = 1 << 20


def adopt(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Copy what the app lacks out of the builder's folders: those may be changed by the next build."""
    app, uid = channel.paths.app(request["app"]), request["uid"]
    roots = {checked_digest(layer["digest"]): Path(layer["root"]) for layer in request["layers"]}
    manifests = _manifests(channel, roots)
    blobs = 0
    with locked(app), in_the_making(app):
        shelf = Shelf(app, uid)
        missing = [digest for digest in roots if not (app.layers / digest).is_dir()]
        for digest in missing:
            entries = entries_of(manifests[digest])
            blobs += _take(entries, roots[digest], shelf)
            build(entries, shelf, app.incoming / digest, uid)
            (app.incoming / f"{digest}.manifest").write_bytes(manifests[digest])
        sync(app.incoming)
        keep(missing, shelf, app)
    return {"blobs": blobs}


def _manifests(channel: Channel, wanted: Iterable[str]) -> dict[str, bytes]:
    found = {}
    for digest in wanted:
        message, data = channel.receive()
        if message["manifest"] != digest or digest_of(data) != digest:
            raise HostFailure("bad-manifest", {"reason": f"the manifest of layer {digest} is not what it should be"})
        found[digest] = data
    return found


def _take(entries: Iterable[Entry], root: Path, shelf: Shelf) -> int:
    named = {entry.blob: entry for entry in entries if entry.blob}
    lacking = shelf.lacks(named)
    for name in lacking:
        path = os.fsencode(root) + b"/" + named[name].path
        with shelf.adding(name) as descriptor:
            if _copied(path, named[name], descriptor) != name[:64]:
                raise HostFailure("bad-blob", {"reason": f"{os.fsdecode(path)} is not what the build said"})
    return len(lacking)


def _copied(path: bytes, entry: Entry, descriptor: int) -> str:
    """Copy a file, or a link's target; the digest of what was copied."""
    if entry.kind == "l":
        target = os.readlink(path)  # noqa: PTH115 - paths are bytes here
        os.write(descriptor, target)
        return hashlib.sha256(target).hexdigest()
    digest = hashlib.sha256()
    source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(source, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            os.write(descriptor, piece)
    return digest.hexdigest()
