"""A slug to hosts: each gets the layers that it lacks, of these the blobs that it lacks, all out of one stream.

What a host has costs nothing; a manifest travels as its difference to the previous release's layer of the same name.
The stream is compressed once, with what any host lacks, and goes to all of them at the same time.
"""

from __future__ import annotations

import queue
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.model.manifest import delta
from deployer.model.slug import Built, BuiltLayer, Slug
from deployer.remote.agent import UNDONE, Exchange, Session
from deployer.remote.fan_out import fan_out
from deployer.ship.blobs import Blob, compressed, compression, find
from deployer.ship.remembered import Remembered, remembered_here

LONG = 4 << 20  # bytes from which on a stream waits for the host's word that there is room
AHEAD = 16  # chunks that the compressor may be ahead of the slowest host


@dataclass(frozen=True, slots=True)
class Shipped:
    """What all hosts together were sent, in bytes, and how many blobs the hosts lacked between them."""

    bytes: int
    blobs: int


@dataclass(slots=True)
class _Order:
    """What one host asked for, and the chunks that wait for it; None ends them, an error is what ended them."""

    exchange: Exchange
    lacking: list[str]
    chunks: queue.Queue[bytes | Exception | None] = field(default_factory=lambda: queue.Queue(AHEAD))


def ship(
    sessions: Sequence[Session],
    app: str,
    uid: int,
    token: int,
    built: Built,
    base: Slug | None,
    *,
    epoch: int | None = None,
    remembered: Remembered | None = None,
) -> Shipped:
    """Make every layer of `built` stand on every host. `base` is the slug of the release before. HostDiskFull,
    ShipmentRefused, or what any call may raise."""
    remembered = remembered or remembered_here()
    before = sum(session.sent for session in sessions)
    request = {"app": app, "token": token, "uid": uid, **({} if epoch is None else {"epoch": epoch})}
    deltas = list(_deltas(built, base, remembered))
    try:
        orders = dict(fan_out(sessions, lambda session: (session.host.id, _ask(session, request, built, deltas))))
        blobs = find(built.layers, {name for order in orders.values() for name in order.lacking})
        _send([session for session in sessions if orders[session.host.id].lacking], orders, blobs)
    except BaseException:
        for session in sessions:
            session.end_agent(UNDONE)  # else a host that did not fail would wait for the rest
        raise
    remembered.remember((layer.layer.digest, layer.manifest) for layer in built.layers)
    return Shipped(sum(session.sent for session in sessions) - before, len(blobs))


def _deltas(built: Built, base: Slug | None, remembered: Remembered) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The messages that tell manifests as differences to those of the base's layers with the same names."""
    bases = {layer.name: layer.digest for layer in base.layers} if base else {}
    for layer in built.layers:
        old = bases.get(layer.layer.name, layer.layer.digest)
        manifest = remembered.recall(old) if old != layer.layer.digest else None
        if manifest is not None:
            change = zlib.compress(delta(manifest, layer.manifest), 9)
            yield {"manifest": layer.layer.digest, "base": old}, change


def _ask(
    session: Session, request: dict[str, Any], built: Built, deltas: Sequence[tuple[dict[str, Any], bytes]]
) -> _Order:
    """Tell a host what it should have; hear what it lacks."""
    layers = [{"digest": layer.layer.digest, "name": layer.layer.name} for layer in built.layers]
    exchange = session.exchange("receive", {**request, "layers": layers, "deltas": len(deltas)})
    for message, data in deltas:
        exchange.send(message, data)
    while True:
        message, data = exchange.receive()
        if message.get("event") == "manifests":
            _tell_manifests(exchange, built.layers, message["digests"])
        elif message.get("event") == "blobs":
            return _Order(exchange, zlib.decompress(data).decode().split("\n"))
        elif "result" in message:
            return _Order(exchange, [])


def _tell_manifests(exchange: Exchange, layers: Iterable[BuiltLayer], digests: Sequence[str]) -> None:
    known = {layer.layer.digest: layer.manifest for layer in layers}
    for digest in digests:
        exchange.send({"manifest": digest}, zlib.compress(known[digest]))


def _send(sessions: Sequence[Session], orders: dict[str, _Order], blobs: Sequence[Blob]) -> None:
    """Compress once, in a thread of its own; send to all who lack something, each at its own pace."""
    given_up = threading.Event()
    receivers = [orders[session.host.id].chunks for session in sessions]
    compressor = threading.Thread(target=_compress, args=(blobs, receivers, given_up), name="compress")
    compressor.start()
    try:
        fan_out(sessions, lambda session: _deliver(orders[session.host.id], blobs))
    except BaseException:
        given_up.set()
        raise
    finally:
        compressor.join()


def _compress(
    blobs: Sequence[Blob], receivers: Sequence[queue.Queue[bytes | Exception | None]], given_up: threading.Event
) -> None:
    end: Exception | None = None
    try:
        for chunk in compressed(blobs) if receivers else ():
            for receiver in receivers:
                receiver.put(chunk)
            if given_up.is_set():
                break
    except OSError as error:  # a file that the build made is gone
        end = error
    for receiver in receivers:
        receiver.put(end)


def _deliver(order: _Order, blobs: Sequence[Blob]) -> None:
    raw = sum(blob.size for blob in blobs)
    try:
        order.exchange.send({"stream": compression(blobs), "raw": raw, "blobs": len(blobs)})
        if raw > LONG:
            order.exchange.receive()  # `go`, or the failure for a full disk, before megabytes are sent in vain
        for chunk in _taken(order):
            order.exchange.send({"chunk": True}, chunk)
        order.exchange.send({"end": True})
    finally:
        for _ in _taken(order):
            pass  # the compressor must never wait for a host that failed
    order.exchange.result()


def _taken(order: _Order) -> Iterator[bytes]:
    while isinstance(chunk := order.chunks.get(), bytes):
        yield chunk
    order.chunks.put(chunk)
    if chunk is not None:
        raise chunk
