"""Layers to hosts by way of the space's store: hosts that join later take them from there, too.

A layer travels once: from this machine into the store, or, where a host built it, from there by a URL that this
machine has signed; every host that lacks it takes it from the store. Where little of it is new it goes to the hosts by
SSH, as what they lack of it, and one of them writes the whole of it into the store. Nobody believes what the store
holds (host/fetch.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from deployer.errors.joining import UploadRefused
from deployer.model.manifest import decode
from deployer.model.slug import Built, BuiltLayer, Slug
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.ship import archive
from deployer.ship.blobs import find
from deployer.ship.remembered import Remembered, remembered_here
from deployer.ship.ship import Shipped, ship
from deployer.store import keys
from deployer.store.base import List
from deployer.store.s3 import S3Store

AT_ONCE = 4  # layers that are packed and sent at the same time
LITTLE = 1 << 20  # bytes
VALID = 3600  # seconds for which a host may send a layer by a URL


def ship_through(
    store: S3Store,
    sessions: Sequence[Session],
    request: Mapping[str, Any],
    built: Built,
    builder: Session | None,
    base: Slug | None = None,
) -> Shipped:
    """Make every layer of `built` stand in the store, and on every host. `request` holds `app`, `token`, `epoch` and
    `uid`; `builder` is the host that the layers stand on already, None where they are here; `base` is the slug that all
    hosts have. Counted is what this machine, or that host, has sent, and what hosts lacked of it."""
    missing, remembered = _missing(store, built), remembered_here()
    lacking = 0
    if builder is None and base and missing and is_little(missing, base, remembered):
        shipped = _ship(sessions, request, replace(built, layers=tuple(missing)), base)
        sent, lacking = shipped.bytes, shipped.blobs
        try:
            _publish(store, sessions[0], request, missing)
        except UploadRefused:  # a host whose way there is shut, say: this machine has one of its own
            sent += have(store, request, built, None)
    else:
        sent = _have(store, request, missing, builder)
        if builder is None:
            remembered.remember((one.layer.digest, one.manifest) for one in built.layers)
    digests = [one.layer.digest for one in built.layers]
    others = [session for session in sessions if session is not builder]
    answers = fan_out(others, lambda session: session.call("fetch", {**request, "layers": digests}))
    return Shipped(sent, max([lacking, *(answer["blobs"] for answer in answers)]))


def is_little(layers: Sequence[BuiltLayer], base: Slug, remembered: Remembered) -> bool:
    """Whether these are layers of `base` but for a little: what is new in them is worth a connection that AWS
    throttles."""
    bases = {layer.name: layer.digest for layer in base.layers}
    before = [remembered.recall(bases.get(one.layer.name, "none")) for one in layers]
    if None in before:
        return False
    had = {entry.blob for manifest in before if manifest for entry in decode(manifest)}
    wanted = {entry.blob for one in layers for entry in decode(one.manifest) if entry.blob}
    return sum(blob.size for blob in find(layers, wanted - had)) < LITTLE


def _ship(sessions: Sequence[Session], request: Mapping[str, Any], built: Built, base: Slug) -> Shipped:
    return ship(sessions, request["app"], request["uid"], request["token"], built, base, epoch=request.get("epoch"))


def have(store: S3Store, request: Mapping[str, Any], built: Built, builder: Session | None) -> int:
    """Make every layer of `built` stand in the store; the bytes that were sent for it."""
    return _have(store, request, _missing(store, built), builder)


def _have(store: S3Store, request: Mapping[str, Any], missing: Sequence[BuiltLayer], builder: Session | None) -> int:
    if builder is not None:
        return _publish(store, builder, request, missing)
    if not missing:
        return 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return sum(threads.map(lambda layer: _upload(store, layer), missing))


def _missing(store: S3Store, built: Built) -> list[BuiltLayer]:
    """Those that the store lacks."""
    layers = {keys.layer(one.layer.digest): one for one in built.layers}
    listed = store.batch([List(key) for key in layers]).answers if layers else ()
    there = {key for found in listed if isinstance(found, tuple) for key in found}
    return [one for key, one in layers.items() if key not in there]


def _upload(store: S3Store, one: BuiltLayer) -> int:
    with tempfile.NamedTemporaryFile(prefix="deployer-layer-") as file:
        length = archive.write(one, file)
        file.flush()
        store.upload(keys.layer(one.layer.digest), Path(file.name))
    return length


def _publish(store: S3Store, builder: Session, request: Mapping[str, Any], layers: Sequence[BuiltLayer]) -> int:
    def urls() -> Iterator[dict[str, str]]:
        for one in layers:
            yield {"digest": one.layer.digest, "url": store.upload_url(keys.layer(one.layer.digest), VALID)}

    return int(builder.call("publish", {**request, "layers": list(urls())})["bytes"]) if layers else 0
