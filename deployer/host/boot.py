"""The call `boot`: dynos of a new release start beside the old ones and become healthy, or leave no trace."""

from __future__ import annotations

from typing import Any

from deployer.host import launch
from deployer.host.channel import Channel
from deployer.host.health import Started


def boot(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Start the dynos of `request` and wait for their health; `{dynos: {name: {port, instance, seconds}}}`. Whatever
    goes wrong, also a caller that is gone: all that this call started is stopped and removed."""
    order = launch.parse(request)
    if not order.dynos:
        return {"dynos": {}}
    healthy = False
    try:
        started = launch.launch(channel.paths, order)
        seconds = launch.await_health(started, order.health, state_events(channel))
        healthy = True
    finally:
        if not healthy:
            launch.abandon(channel.paths, order)
    return {"dynos": {one.placed.dyno.name: answer(one, seconds) for one in started}}


def state_events(channel: Channel) -> launch.Tell:
    """Events `state` for the caller."""
    return lambda dyno, state: channel.event({"event": "state", "dyno": dyno, "state": state})


def answer(one: Started, seconds: dict[str, float]) -> dict[str, Any]:
    """What is told of a dyno that is healthy."""
    placed = one.placed
    return {"port": placed.port, "instance": placed.instance, "seconds": seconds[placed.dyno.name]}
