"""Moments, as records of the ledger spell them."""

from __future__ import annotations

from datetime import UTC, datetime

FORM = "%Y-%m-%dT%H:%M:%SZ"


def spelled(moment: datetime) -> str:
    """`2026-11-30T13:00:00Z`: in UTC, to the second."""
    return moment.astimezone(UTC).strftime(FORM)
