"""What can go wrong with one-off dynos before their command runs."""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.errors.host import words


@words("dyno-not-started")
class DynoNotStarted(Failure):
    """`dyno-not-started`: systemd refused the one-off dyno. `reason` is its own word."""

    host: str
    reason: str

    headline = "The one-off dyno could not be started on {host}."
    seen = "{reason}"
    advice = "`journalctl -n 50` on the host has more."
