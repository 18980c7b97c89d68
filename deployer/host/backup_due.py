"""The call `backups_due`: what a timer runs on every host every five minutes, with nobody there.

Each host of a space in AWS sees the same schedules; the one whose conditional write takes the number makes the backup.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import backup_dumps, backup_job, myself
from deployer.host.backup_job import Job
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.model.backup import FAILED, Backup, Outcome, Schedule
from deployer.model.moment import spelled
from deployer.store.backups import Backups, Entry

NOBODY = "the schedule"


def backups_due(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Begin what is due; `{begun: [APP::b001]}`. `now` is another time than the present one."""
    paths = channel.paths
    if not backup_dumps.in_bucket(paths) and not paths.backup_records.exists():
        return {"begun": []}
    now = datetime.fromisoformat(request["now"]) if "now" in request else datetime.now(UTC)
    known = Backups(backup_dumps.records(paths))
    begun = [taken for one in known.schedules() if (taken := _begin(paths, known, one, now))]
    return {"begun": [f"{one.app}::{one.name}" for one in begun]}


def _begin(paths: Paths, known: Backups, schedule: Schedule, now: datetime) -> Backup | None:
    due = schedule.due(now)
    if due is None:
        return None

    def is_made(found: list[Entry]) -> bool:
        return any(
            one.backup.addon == schedule.addon and one.backup.scheduled and one.backup.scheduled >= due for one in found
        )

    draft = Backup(
        schedule.app,
        "",
        schedule.addon,
        schedule.database,
        spelled(now),
        NOBODY,
        _own_name(paths, schedule),
        scheduled=due,
    )
    taken = known.take(draft, "b", unless=is_made)
    if taken is not None:
        job = Job(taken.app, taken.name, schedule.uid, "", schedule.url, schedule.addon)
        try:
            backup_job.begin(paths, job)
        except HostFailure as failure:
            known.end(taken.app, taken.name, Outcome(FAILED, spelled(now), code=failure.code, details=failure.details))
    return taken


def _own_name(paths: Paths, schedule: Schedule) -> str:
    """The id by which the space knows this host."""
    return myself.who(myself.remembered(paths)).instance if backup_dumps.in_bucket(paths) else schedule.host
