"""Leases: somebody else is changing the app, or has begun to since."""

from __future__ import annotations

from deployer.errors.base import Failure


class LeaseHeld(Failure):
    """Somebody else holds it. `seconds` is how long it still lives by the store's clock unless it is renewed."""

    subject: str  # `⬢ shop`, or `the space`
    user: str
    host: str
    pid: int
    command: str
    seconds: int

    headline = "{user} on {host} is changing {subject}."
    seen = "`{command}` (process {pid}) holds its lease, for {seconds} s more unless it renews it."
    advice = "Wait for it with --wait, or try again: a lease whose holder died ends by itself."


class LeaseLost(Failure):
    """It was ours and is not any more: this computer slept, or was cut off, for longer than a lease lives."""

    subject: str
    holder: str  # `bob on ci-7 (deployer deploy)`, or `nobody`

    headline = "Lost the right to change {subject}."
    seen = "This command was silent for longer than a lease lives. Since then it went to {holder}."
    advice = "Nothing was changed after that. Look with `deployer releases`, then run the command again."
