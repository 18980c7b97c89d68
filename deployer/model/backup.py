"""Backups of databases and what is restored from them: what stands in their records, and when a schedule is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deployer.model.moment import spelled

COMPLETED, FAILED, CANCELED, DELETED = "completed", "failed", "canceled", "deleted"
DUMP = b"PGDMP"  # what an archive of pg_dump's begins with, in PostgreSQL's pg_backup_archiver.h
KEPT = 7  # of a schedule, the newest ones: Heroku keeps its daily ones for seven days


@dataclass(frozen=True, slots=True)
class Backup:
    """`backups/APP/b001`, or `r001` for what was restored. `database` is the attachment that was meant, `host` the one
    that is at work, `scheduled` the hour that a schedule was due, `source` what is restored, as people call it."""

    app: str
    name: str
    addon: str
    database: str
    created: str
    user: str
    host: str
    scheduled: str | None = None
    source: str | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """`backups/APP/b001.outcome`: how it ended. `size` is that of the dump, `original` that of the database, in bytes;
    `code` and `details` are a failure's, as agents say it; `skipped` is what of a dump was left out."""

    status: str
    at: str
    size: int = 0
    original: int = 0
    version: str = ""
    code: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """`schedules/APP/ADDON`: a backup each day at that hour of a time zone. Hosts make it with nobody there, so it says
    all that this takes; those before `created` are nobody's loss."""

    app: str
    addon: str
    database: str
    uid: int
    url: str = field(repr=False)
    hour: int
    zone: str
    created: str
    host: str = ""  # that has the database; any in AWS
    schema: int = 1

    def due(self, now: datetime) -> str | None:
        """The last time before `now` that it was to be made, as records spell it; None where there was none yet."""
        from zoneinfo import ZoneInfo

        local = now.astimezone(ZoneInfo(self.zone))
        at = local.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        at = at if at <= local else at - timedelta(days=1)
        return spelled(at) if at > datetime.fromisoformat(self.created) else None


def is_restore(name: str) -> bool:
    """Whether `r001` and not `b001`."""
    return name.startswith("r")


def expired(found: Iterable[tuple[Backup, Outcome | None]]) -> list[str]:
    """The names of completed backups of schedules that newer ones have replaced."""
    done = [one for one, outcome in found if one.scheduled and outcome and outcome.status == COMPLETED]
    by_addon: dict[str, list[str]] = {}
    for one in sorted(done, key=lambda one: one.created, reverse=True):
        by_addon.setdefault(one.addon, []).append(one.name)
    return [name for names in by_addon.values() for name in names[KEPT:]]
