"""Layers of this host into the space's store, by URLs that a command has signed: what a host has built goes from there
to the others, and to those that join later. A host's own role may not write there.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable
from typing import IO, Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.give import blob_path, pieces
from deployer.host.layers import checked_digest, entries_of, locked
from deployer.host.paths import AppPaths
from deployer.model.layer_archive import SHORT, Header

PATIENCE = 300.0  # seconds without a byte
ZSTD = ("/usr/bin/zstd", "-3", "-q", "-c")


def publish(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{bytes}` that were sent. `layer-gone` where one does not stand here, `upload-refused` where the store
    does not take one."""
    app = channel.paths.app(request["app"])
    sent = 0
    for one in request["layers"]:
        with tempfile.TemporaryFile(dir=app.root) as file:
            with locked(app):
                write(app, checked_digest(one["digest"]), file)
            sent += _put(str(one["url"]), file)
    return {"bytes": sent}


def write(app: AppPaths, digest: str, file: IO[bytes]) -> None:
    """A layer's archive, as deployer/ship/archive.py writes it."""
    if not (app.layers / digest).is_dir():
        raise HostFailure("layer-gone", {"layer": digest, "reason": f"{digest} does not stand on this host"})
    manifest = (app.manifests / digest).read_bytes()
    blobs = {name: blob_path(app, name) for name in sorted({e.blob for e in entries_of(manifest) if e.blob})}
    packed, raw = zlib.compress(manifest, 9), sum(path.stat().st_size for path in blobs.values())
    stream = "zlib" if raw < SHORT else "zstd"
    file.write(Header(stream, len(packed), raw, len(blobs)).encode())
    file.write(packed)
    contents = (piece for name, path in blobs.items() for piece in pieces(name, path))
    if stream == "zlib":
        file.write(zlib.compress(b"".join(contents), 9))
    else:
        _packed_by_zstd(contents, file)


def _packed_by_zstd(contents: Iterable[bytes], file: IO[bytes]) -> None:
    """By the host's own program: Python learnt it only in 3.14."""
    file.flush()
    with subprocess.Popen(ZSTD, stdin=subprocess.PIPE, stdout=file) as zstd:
        assert zstd.stdin is not None
        for piece in contents:
            zstd.stdin.write(piece)
        zstd.stdin.close()
    if zstd.returncode:
        raise HostFailure("defect", {"reason": f"zstd ended with {zstd.returncode}"})
    file.seek(0, os.SEEK_END)


def _put(url: str, file: IO[bytes]) -> int:
    length = file.tell()
    file.seek(0)
    about = {"Content-Length": str(length), "Content-Type": "application/octet-stream"}  # else it would be a form
    asked = urllib.request.Request(url, data=file, method="PUT", headers=about)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        reason = error.read(400).decode(errors="replace")
        raise HostFailure("upload-refused", {"status": error.code, "reason": reason}) from error
    except OSError as error:
        raise HostFailure("upload-refused", {"status": 0, "reason": str(error)}) from error
    return length
