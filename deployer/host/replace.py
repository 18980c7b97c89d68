"""The call `replace`: processes without a port, of which two releases must never run at the same time."""

from __future__ import annotations

from typing import Any

from deployer.host import dyno_files, launch, systemd
from deployer.host.boot import answer, state_events
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed


def replace(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Stop the `old` instances, and when they are gone start the new dynos and watch them. If one does not survive, the
    new ones are removed, the old start again, and the failure is raised. The old ones' files stay for `retire`."""
    order = launch.parse(request)
    old = [one for one in (dyno_files.read(channel.paths, name) for name in _names(request)) if one]
    done = False
    try:
        launch.stop(old)
        started = launch.launch(channel.paths, order) if order.dynos else []
        seconds = launch.await_health(started, order.health, state_events(channel))
        done = True
    finally:
        if not done:
            launch.abandon(channel.paths, order)
            _start_again(channel, old)
    return {"dynos": {one.placed.dyno.name: answer(one, seconds) for one in started}}


def _names(request: dict[str, Any]) -> list[str]:
    return [launch.check_instance(one) for one in request.get("old", [])]


def _start_again(channel: Channel, old: list[Placed]) -> None:
    if not old:
        return
    dyno_files.forget_crashes(channel.paths, [one.instance for one in old])
    for one in old:
        launch.announce(one)
    systemd.start([one.unit for one in old])
