"""The call `restart`: dynos begin anew where they are, all at the same time, on the same ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployer.host import dyno_files, journal, launch, systemd, units, walls
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.paths import Paths
from deployer.host.retire import drain

DRAIN = 30.0  # seconds for the requests that a dyno is at
STOPPED_AFTER = int(DRAIN) + units.STOP_SECONDS + 15  # by then every dyno is gone, whatever became of this agent


def restart(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Restart `instances`, with other `sizes` where these say so; a crashed dyno that waits starts at once. Those that
    are not on this host are no error.
    Their ports are closed to newcomers before they are told to stop: the routers of all hosts then use other dynos, or
    let requests wait until one of these is back."""
    instances = [launch.check_instance(one) for one in request["instances"]]
    found = [one for one in (dyno_files.read(channel.paths, instance) for instance in instances) if one]
    if not found:
        return {}
    for one in found:
        journal.say(one.dyno.app, one.dyno.name, "Restarting")
    try:
        with walls.closed_to_newcomers(channel.paths, [one.port for one in found if one.port], STOPPED_AFTER):
            drain(found, DRAIN)
            launch.stop(found)
            _resize(channel.paths, found, request.get("sizes", {}))
    finally:  # also where a newer command ends this one
        dyno_files.forget_crashes(channel.paths, [one.instance for one in found])
        for one in found:
            launch.announce(one)
        systemd.start([one.unit for one in found])
    return {}


def _resize(paths: Paths, found: Sequence[Placed], sizes: Mapping[str, str]) -> None:
    """Write down the new sizes of dynos that have stopped; systemd reads their limits anew."""
    changed = [one for one in found if sizes.get(one.instance, one.size).lower() != one.size.lower()]
    for one in changed:
        dyno_files.resize(paths, one, sizes[one.instance])
    if changed:
        systemd.reload()
