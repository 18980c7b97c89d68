"""The call `restart`: dynos begin anew where they are, all at the same time, on the same ports."""

from __future__ import annotations

from typing import Any

from deployer.host import dyno_files, journal, launch, router, systemd
from deployer.host.channel import Channel

DRAIN = 30.0  # seconds for the requests that a dyno is at; new ones wait at the router meanwhile


def restart(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Restart `instances`; a crashed dyno that waits starts at once. Those that are not on this host are no error."""
    instances = [launch.check_instance(one) for one in request["instances"]]
    found = [one for one in (dyno_files.read(channel.paths, instance) for instance in instances) if one]
    if not found:
        return {}
    for one in found:
        journal.say(one.dyno.app, one.dyno.name, "Restarting")
    with router.set_aside(channel.paths, found[0].dyno.app, [one.dyno.name for one in found], drain=DRAIN):
        try:
            launch.stop(found)
        finally:  # also where a newer command ends this one
            dyno_files.forget_crashes(channel.paths, [one.instance for one in found])
            for one in found:
                launch.announce(one)
            systemd.start([one.unit for one in found])
    return {}
