"""Builds on a host of the space."""

from __future__ import annotations

from deployer.errors.base import Failure


class BuilderEnded(Failure):
    """The builder on a host ended without a word: killed for its memory, or cut off."""

    host: str
    said: str

    headline = "The build on {host} ended without a result."
    seen = "{said}"
    advice = """
        Builds there may use half of the host's memory and run for 30 minutes: `journalctl -b | grep -i oom` on the host
        says whether memory was the reason.
        """
