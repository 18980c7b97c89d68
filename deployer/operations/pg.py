"""Databases of an app, by whatever name people call them: what each is like, and psql in one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deployer.addons.catalog import find_provider
from deployer.addons.provider import Plan
from deployer.errors.addons import DatabaseHostLost, DatabaseUnfinished, DatabaseUnknown, NoDatabase
from deployer.model.addon import Addon
from deployer.operations.addons import PROVISIONED, Owned, owned
from deployer.operations.database_hosts import host_with, place_of_existing
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
    def url(self) -> str:
        """Where it is, and how to get in; DatabaseUnfinished where its creation was cut off."""
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
        "prompt": f"{database.app}::{database.attachments[0] if database.attachments else database.addon.name}",
        "commands": list(order.commands),
        "tty": terminal.tty,
        "columns": terminal.columns,
        "rows": terminal.rows,
        "term": terminal.term,
    }
    return OneOff(database.addon.name, host_with(space, database.addon).exchange("psql", request))


def _database(app: str, own: Owned) -> Database:
    ordered = sorted(own.attachments, key=lambda name: (name != PRIMARY, name))
    return Database(app, own.addon, own.plan, tuple(ordered))


def _info(space: OpenSpace, database: Database) -> DatabaseInfo:
    if database.addon.state != PROVISIONED:
        return DatabaseInfo(database, database.addon.state.capitalize())
    try:
        place = place_of_existing(space, database.addon)
    except DatabaseHostLost as lost:
        return DatabaseInfo(database, f"Its host is lost: {lost.host}")
    answer: dict[str, Any] = find_provider(database.addon.service).info(place, database.addon)
    return DatabaseInfo(
        database,
        "Available",
        version=answer["version"].split()[0],
        size=answer["size"],
        tables=answer["tables"],
        connections=answer["connections"],
        limit=answer["limit"],
    )
