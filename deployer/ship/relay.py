"""Layers from one host to another, by way of this machine: a host that joins gets what no build here may have any more.

Nothing is kept here: what the one gives goes to the other as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployer.remote.agent import Exchange, Session


def relay(source: Session, target: Session, request: Mapping[str, Any], layers: Sequence[str]) -> None:
    """Make those of the layers that stand on `source` stand on `target` too. `request` holds `app`, `token` and `uid`.
    HostDiskFull, ShipmentRefused, or what any call may raise."""
    if not layers:
        return
    giver = source.second()
    try:
        with giver.exchange("give", {"app": request["app"], "layers": list(layers)}) as giving:
            standing = giving.receive()[0]["layers"]
            wanted = [{"digest": digest} for digest in standing]
            with target.exchange("receive", {**request, "layers": wanted, "deltas": 0}) as receiving:
                _carry(giving, receiving)
    finally:
        giver.close()


def _carry(giving: Exchange, receiving: Exchange) -> None:
    while True:
        message, data = receiving.receive()
        if "result" in message:
            return
        if message["event"] == "manifests":
            giving.send({"manifests": message["digests"]})
            for _ in message["digests"]:
                manifest, content = giving.receive()
                receiving.send({"manifest": manifest["manifest"]}, content)
        elif message["event"] == "blobs":
            giving.send({"blobs": True}, data)
            stream = giving.receive()[0]
            receiving.send({name: stream[name] for name in ("stream", "raw", "blobs")})
        elif message["event"] == "go":
            _carry_blobs(giving, receiving)


def _carry_blobs(giving: Exchange, receiving: Exchange) -> None:
    while "result" not in (received := giving.receive())[0]:
        receiving.send({"chunk": True}, received[1])
    receiving.send({"end": True})
