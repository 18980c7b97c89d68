"""What can go wrong with the routers. Raised by the agent as a code with these facts."""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.errors.host import words


@words("bad-routes")
class BadRoutes(Failure):
    """`bad-routes`: these routes are no valid part of a router's configuration. Those in force stay."""

    host: str
    app: str
    reason: str

    headline = "The router on {host} refuses the routes of {app}; those in force stay."
    seen = "{reason}"
    advice = "`deployer domains -a {app}` lists the names. If they are all right, this is a defect of deployer."


@words("router-down")
class RouterDown(Failure):
    """`router-down`: HAProxy does not run and could not be started, or did not take a reload."""

    host: str
    reason: str

    headline = "The router on {host} does not work."
    seen = "{reason}"
    advice = "Look at it with `journalctl -u haproxy` on the host; `systemctl restart haproxy` starts it again."
