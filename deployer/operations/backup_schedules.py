"""`pg:backups:schedule`, `:schedules` and `:unschedule`: backups that hosts make with nobody there."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from deployer.errors.apps import AppNotFound
from deployer.errors.backups import BadScheduleTime, NoSchedule
from deployer.model.backup import Schedule
from deployer.operations.backups import expire, shelf_of, shelves
from deployer.operations.pg import find_database
from deployer.operations.session import OpenSpace

AT = re.compile(r"(0?\d|1\d|2[0-3]):00 ?(\S*)")
# As Heroku's command line has them: daylight saving time is kept where the zone has it.
ZONES = {
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "MST": "America/Boise",
    "MDT": "America/Boise",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "Z": "UTC",
    "GMT": "Europe/London",
    "BST": "Europe/London",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
}


def parse_at(text: str) -> tuple[int, str]:
    """The hour and the time zone that `02:00 Europe/Berlin` says; BadScheduleTime."""
    found = AT.fullmatch(text.strip())
    if found is None:
        raise BadScheduleTime(text)
    zone = ZONES.get(found[2].upper(), found[2] or "UTC")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError) as error:  # ZoneInfoNotFoundError is a LookupError
        raise BadScheduleTime(text) from error
    return int(found[1]), zone


def schedule(space: OpenSpace, app: str, argument: str | None, at: str) -> Schedule:
    """Have a database backed up each day at that hour, in the place of any other one; BadScheduleTime."""
    hour, zone = parse_at(at)
    database = find_database(space, app, argument)
    owner = space.ledger.app(database.app)
    if owner is None:
        raise AppNotFound(database.app, space.space.name)
    space.begin_change()
    shelf = shelf_of(space, database.addon)
    host = shelf.session.host.id if shelf.session else ""
    created = space.ledger.timestamp()
    made = Schedule(
        database.app, database.addon.name, database.name, owner.uid, database.url, hour, zone, created, host
    )
    shelf.known.save_schedule(made)
    expire(space, database.app)
    space.ledger.audit(f"pg:backups:schedule {database.addon.name} {at}", database.app)
    return made


def schedules(space: OpenSpace, app: str) -> list[Schedule]:
    """Those of an app."""
    return [one for shelf in shelves(space) for one in shelf.known.schedules(app)]


def unschedule(space: OpenSpace, app: str, argument: str | None) -> Schedule:
    """Have a database backed up by nobody; NoSchedule."""
    database = find_database(space, app, argument)
    found = next((one for one in schedules(space, database.app) if one.addon == database.addon.name), None)
    if found is None:
        raise NoSchedule(database.app, database.addon.name)
    shelf_of(space, database.addon).known.delete_schedule(database.app, database.addon.name)
    space.ledger.audit(f"pg:backups:unschedule {database.addon.name}", database.app)
    return found
