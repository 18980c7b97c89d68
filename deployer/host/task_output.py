"""The call `task_output`: what the release dyno of a release wrote, again."""

from __future__ import annotations

from typing import Any

from deployer.host.channel import Channel
from deployer.model.dyno import Dyno


def task_output(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Its lines as events `output`; `{found}` is false where this host never ran one for the release, or forgot it."""
    instance = Dyno(request["app"], "release", 1, request["release"]).instance
    try:
        with (channel.paths.tasks / instance / "output").open("rb") as stream:
            for line in stream:
                channel.event({"event": "output", "line": line.rstrip(b"\n").decode(errors="surrogateescape")})
    except FileNotFoundError:
        return {"found": False}
    return {"found": True}
