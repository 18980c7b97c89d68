"""Layers to hosts by way of the space's store: hosts that join later take them from there, too.

A layer travels once: from this machine into the store, or, where a host built it, from there by a URL that this
machine has signed; every host that lacks it takes it from the store. Nobody believes what the store holds
(host/fetch.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deployer.model.slug import Built, BuiltLayer
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.ship import archive
from deployer.ship.ship import Shipped
from deployer.store import keys
from deployer.store.base import List
from deployer.store.s3 import S3Store

AT_ONCE = 4  # layers that are packed and sent at the same time
VALID = 3600  # seconds for which a host may send a layer by a URL


def ship_through(
    store: S3Store, sessions: Sequence[Session], request: Mapping[str, Any], built: Built, builder: Session | None
) -> Shipped:
    """Make every layer of `built` stand in the store, and on every host. `request` holds `app`, `token`, `epoch` and
    `uid`; `builder` is the host that the layers stand on already, None where they are here. Counted is what this
    machine, or that host, has sent into the store, and what hosts lacked of it."""
    sent = have(store, request, built, builder)
    digests = [one.layer.digest for one in built.layers]
    others = [session for session in sessions if session is not builder]
    answers = fan_out(others, lambda session: session.call("fetch", {**request, "layers": digests}))
    return Shipped(sent, max((answer["blobs"] for answer in answers), default=0))


def have(store: S3Store, request: Mapping[str, Any], built: Built, builder: Session | None) -> int:
    """Make every layer of `built` stand in the store; the bytes that were sent for it."""
    missing = _missing(store, built)
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
