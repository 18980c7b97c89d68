"""The call `retire`: dynos that no router names any more finish what they are at, then go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from deployer.host import dyno_files, launch, sockets
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed

LONGEST_DRAIN = 3600.0


def retire(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Wait up to `drain` seconds for open connections, stop, and remove files, firewall rules and ports. `open` is how
    many connections there were at the beginning, `cut` how many were left when the wait was over."""
    instances = [launch.check_instance(one) for one in request["instances"]]
    found = [one for one in (dyno_files.read(channel.paths, instance) for instance in instances) if one]
    at_first, left = drain(found, min(float(request.get("drain", 0)), LONGEST_DRAIN))
    launch.take_down(channel.paths, instances)
    return {"open": at_first, "cut": left}


def drain(placed: Sequence[Placed], seconds: float) -> tuple[int, int]:
    """Wait until no connection is left to these dynos, at most so long: how many there were, and are."""
    deadline = time.monotonic() + seconds
    at_first = left = _connections(placed)
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = _connections(placed)
    return at_first, left


def _connections(placed: Sequence[Placed]) -> int:
    return sum(sockets.connections(one.port) for one in placed if one.port)
