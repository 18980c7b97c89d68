"""Databases of an app, by whatever name people call them: what each is like, psql in one, and which is the primary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from deployer.addons.catalog import find_provider
from deployer.addons.names import new_colour
from deployer.addons.provider import Plan
from deployer.errors.addons import AlreadyPrimary, DatabaseHostLost, DatabaseUnfinished, DatabaseUnknown, NoDatabase
from deployer.errors.aws import AwsDenied
from deployer.errors.own_databases import DatabaseBeingMade
from deployer.model.addon import Addon
from deployer.model.app import Attachment
from deployer.model.events import Doing, Done, Tell
from deployer.model.moment import spelled
from deployer.model.release import Release
from deployer.operations.addons import PROVISIONED, PROVISIONING, Owned, owned
from deployer.operations.change import Change, changing
from deployer.operations.database_hosts import MANAGED, host_with, place_of_existing
from deployer.operations.release import make_release, redraft
from deployer.operations.run import OneOff, Terminal
from deployer.operations.session import OpenSpace

SERVICE = "heroku-postgresql"
PRIMARY = "DATABASE"


@dataclass(frozen=True, slots=True)
class Database:
    """A database add-on of an app. `attachments` begin with DATABASE where it is the primary one."""

    app: str
    addon: Addon
    plan: Plan
    attachments: tuple[str, ...]

    @property
    def config_vars(self) -> tuple[str, ...]:
        """The config vars that hold its URL."""
        return tuple(f"{name}_URL" for name in self.attachments)

    @property
    def name(self) -> str:
        """What people call it: its attachment, or the add-on where it has none."""
        return self.attachments[0] if self.attachments else self.addon.name

    @property
    def url(self) -> str:
        """Where it is, and how to get in; DatabaseUnfinished where its creation was cut off, DatabaseBeingMade where
        RDS makes it."""
        if self.addon.state != PROVISIONED and self.plan.size:
            raise DatabaseBeingMade(self.addon.name, self.app, self.addon.state)
        if self.addon.state != PROVISIONED:
            raise DatabaseUnfinished(self.addon.name, self.addon.service, self.app)
        return self.addon.config["URL"]


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What a database is like now. `size` in bytes; numbers are None where its creation was cut off, or its host is
    lost."""

    database: Database
    status: str  # Available, the add-on's state, or which host is lost
    version: str | None = None
    size: int | None = None
    tables: int | None = None
    connections: int | None = None
    limit: int | None = None
    earliest: str | None = None  # moment that it can be brought back to; None where it cannot be
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class Psql:
    """What psql is to do: commands, or what it reads from its input; else it talks to the person at the terminal."""

    commands: tuple[str, ...] = field(default=())


def databases(space: OpenSpace, app: str) -> list[Database]:
    """The databases of an app, the primary one first."""
    found = [_database(app, own) for own in owned(space, app) if own.addon.service == SERVICE]
    return sorted(found, key=lambda database: (PRIMARY not in database.attachments, database.addon.name))


def find_database(space: OpenSpace, app: str, argument: str | None) -> Database:
    """The one that `argument` means: a config var, with or without `_URL`, an attachment, an add-on's name, each also
    as `OTHERAPP::NAME`; without one the primary database. DatabaseUnknown or NoDatabase."""
    other, _, name = (argument or PRIMARY).rpartition("::")
    app = other or app
    found = databases(space, app)
    if not found:
        raise NoDatabase(app)
    return choose(found, name, app)


def choose(found: Iterable[Database], name: str, app: str) -> Database:
    """The database of that name among those of an app."""
    candidates = list(found)
    short = name.upper().removesuffix("_URL")
    for database in candidates:
        # A colour alone is enough: `pg:psql COBALT`.
        ends = {attachment.rpartition("_")[2] for attachment in database.attachments}
        if database.addon.name == name or short in database.attachments or short in ends - {PRIMARY}:
            return database
    known = (", ".join((*database.config_vars, database.addon.name)) for database in candidates)
    raise DatabaseUnknown(name, app, "; ".join(known))


def info(space: OpenSpace, app: str, argument: str | None = None) -> list[DatabaseInfo]:
    """Every database of an app, or the one that is named."""
    chosen = [find_database(space, app, argument)] if argument else databases(space, app)
    return [_info(space, database) for database in chosen]


def psql(space: OpenSpace, app: str, argument: str | None, order: Psql, terminal: Terminal) -> OneOff:
    """psql on the host that the database lives on, or one that reaches it, as the database's own role; `attend` of what
    comes back connects the terminal. DatabaseHostLost."""
    database = find_database(space, app, argument)
    owner = space.ledger.app(database.app)
    assert owner is not None, "its database was found"
    request = {
        "url": database.url,
        "uid": owner.uid,
        "prompt": f"{database.app}::{database.name}",
        "commands": list(order.commands),
        "tty": terminal.tty,
        "columns": terminal.columns,
        "rows": terminal.rows,
        "term": terminal.term,
    }
    return OneOff(database.addon.name, host_with(space, database.addon).exchange("psql", request))


def promote(space: OpenSpace, app: str, argument: str, tell: Tell) -> Release:
    """Have DATABASE mean this database of the app, as one release; the one that it meant keeps another name.
    AlreadyPrimary, DatabaseUnfinished. Can be repeated where it was cut off."""
    with changing(space, app, f"pg:promote {argument}", tell) as change:
        found = databases(space, app)
        if not found:
            raise NoDatabase(app)
        chosen = choose(found, argument, app)
        if PRIMARY in chosen.attachments:
            raise AlreadyPrimary(chosen.addon.name, app)
        config = {**change.state.config, f"{PRIMARY}_URL": chosen.url}
        names = [Attachment(PRIMARY, chosen.addon.name)]
        before = next((one for one in found if PRIMARY in one.attachments), None)
        if before is not None and len(before.attachments) == 1:
            tell(Doing("Ensuring another name for the present DATABASE_URL"))
            names.append(Attachment(_another_name(before, change.state.config), before.addon.name))
            config[f"{names[-1].name}_URL"] = before.url
            tell(Done(f"{names[-1].name}_URL"))
        tell(Doing(f"Promoting {chosen.addon.name} to DATABASE_URL on ⬢ {app}"))
        release = _released(change, config, f"Promote {chosen.addon.name} (@ref:{chosen.addon.name})")
        others = [one for one in change.app.attachments if one.name != PRIMARY]
        space.ledger.save_app(replace(change.app, attachments=(*others, *names)))
        tell(Done())
    return release


def _released(change: Change, config: dict[str, str], description: str) -> Release:
    """A release with these config vars; the present one where it has them."""
    present = change.state.release
    if present is not None and config == change.state.config:
        return present
    return make_release(change, redraft(change, "addon", description, config))


def _another_name(database: Database, config: Mapping[str, str]) -> str:
    """The one that it got where this was cut off, or a new colour."""
    known = [key.removesuffix("_URL") for key, value in config.items() if value == database.url]
    prefix = find_provider(database.addon.service).colour_prefix
    assert prefix is not None, "databases are told apart by colours"
    return next((name for name in known if name != PRIMARY), None) or new_colour(prefix, config)


def _database(app: str, own: Owned) -> Database:
    ordered = sorted(own.attachments, key=lambda name: (name != PRIMARY, name))
    return Database(app, own.addon, own.plan, tuple(ordered))


def _info(space: OpenSpace, database: Database) -> DatabaseInfo:
    if database.addon.state != PROVISIONED:
        return DatabaseInfo(database, _unfinished(space, database))
    try:
        place = place_of_existing(space, database.addon)
    except DatabaseHostLost as lost:
        return DatabaseInfo(database, f"Its host is lost: {lost.host}")
    earliest, latest = window(space, database) if space.space.kind == MANAGED else (None, None)
    answer: dict[str, Any] = find_provider(database.addon.service).info(place, database.addon)
    return DatabaseInfo(
        database,
        "Available",
        version=answer["version"].split()[0],
        size=answer["size"],
        tables=answer["tables"],
        connections=answer["connections"],
        limit=answer["limit"],
        earliest=earliest,
        latest=latest,
    )


def _unfinished(space: OpenSpace, database: Database) -> str:
    """Of one that RDS makes, its word: Creating, Backing-up, Available before anybody has finished it."""
    from deployer.operations.own_databases import status_of

    status = status_of(space, database.addon) if database.plan.size and database.addon.state == PROVISIONING else ""
    return (status or database.addon.state).capitalize()


def window(space: OpenSpace, database: Database) -> tuple[str | None, str | None]:
    """The first and the last moment that RDS can bring it back to; None where these credentials may not ask."""
    from deployer.operations.own_origins import instance_with

    try:
        found = instance_with(space, database.addon)
    except AwsDenied:
        return None, None
    earliest = found.earliest(datetime.now(UTC))
    return (spelled(earliest), spelled(found.latest)) if earliest and found.latest else (None, None)
