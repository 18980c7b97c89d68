"""A layer as one object for hosts that join by themselves (model/layer_archive.py has its form)."""

from __future__ import annotations

import zlib
from typing import IO

from deployer.model.layer_archive import Header
from deployer.model.manifest import decode
from deployer.model.slug import BuiltLayer
from deployer.ship.blobs import compressed, compression, find


def write(built: BuiltLayer, file: IO[bytes]) -> int:
    """Write a layer's archive, piece by piece; its length in bytes. A file of the build that is gone is an OSError, one
    that has changed is refused by the host that reads the archive."""
    names = {entry.blob for entry in decode(built.manifest) if entry.blob}
    blobs = find([built], names)
    manifest = zlib.compress(built.manifest, 9)
    header = Header(compression(blobs), len(manifest), sum(blob.size for blob in blobs), len(blobs))
    length = file.write(header.encode()) + file.write(manifest)
    for chunk in compressed(blobs):
        length += file.write(chunk)
    return length
