"""When a schedule is due, and what of it is kept."""

from __future__ import annotations

from datetime import datetime

import pytest

from deployer.model.backup import COMPLETED, FAILED, KEPT, Backup, Outcome, Schedule, expired


@pytest.mark.parametrize(
    ("hour", "zone", "now", "due"),
    [
        (3, "UTC", "2026-01-02T03:00:00+00:00", "2026-01-02T03:00:00Z"),
        (3, "UTC", "2026-01-02T02:59:59+00:00", "2026-01-01T03:00:00Z"),
        (3, "Europe/Berlin", "2026-07-02T01:30:00+00:00", "2026-07-02T01:00:00Z"),
        (2, "Europe/Berlin", "2026-03-29T01:30:00+00:00", "2026-03-29T01:00:00Z"),  # there is no 02:00 that day
        (23, "America/Los_Angeles", "2026-01-02T06:00:00+00:00", "2026-01-01T07:00:00Z"),
    ],
)
def test_it_is_due_once_a_day_at_its_hour(hour: int, zone: str, now: str, due: str) -> None:
    schedule = Schedule("shop", "pg-1", "DATABASE", 20001, "postgresql://", hour, zone, "2025-12-01T00:00:00Z")
    assert schedule.due(datetime.fromisoformat(now)) == due


def test_what_was_before_it_is_nobodys_loss() -> None:
    schedule = Schedule("shop", "pg-1", "DATABASE", 20001, "postgresql://", 3, "UTC", "2026-01-02T03:10:00Z")
    assert schedule.due(datetime.fromisoformat("2026-01-02T12:00:00+00:00")) is None
    assert schedule.due(datetime.fromisoformat("2026-01-03T03:00:00+00:00")) == "2026-01-03T03:00:00Z"


def test_the_newest_of_a_schedule_are_kept_and_all_that_people_made() -> None:
    made = [
        (
            Backup("shop", f"b{n:03d}", "pg-1", "DATABASE", f"2026-01-{n:02d}T03:00:00Z", "ada", "h1", when),
            Outcome(COMPLETED if n != 10 else FAILED, "2026"),
        )
        for n in range(1, 13)
        for when in ["2026" if n > 2 else None]
    ]
    assert expired(made) == ["b004", "b003"]
    assert KEPT == 7
