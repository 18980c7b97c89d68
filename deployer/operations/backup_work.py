"""`pg:backups:capture` and `pg:backups:restore`: begun on a host, where they work on whoever watches."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deployer.addons.postgresql import server_facts
from deployer.errors.addons import NoDatabase
from deployer.errors.apps import AppNotFound
from deployer.errors.backups import BackupElsewhere, BackupUnderWay, DumpMissing, DumpUnreadable, WatchLost
from deployer.errors.base import Failure
from deployer.errors.config import UnreadableFile
from deployer.errors.remote import ConnectionLost
from deployer.model import codec
from deployer.model.backup import DUMP, FAILED, Backup, Outcome
from deployer.operations import backups
from deployer.operations.backups import Found, Shelf, shelf_of, shelves, under_way
from deployer.operations.database_hosts import place_of_existing
from deployer.operations.pg import Database, find_database
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store import keys
from deployer.store.backups import Entry
from deployer.store.s3 import S3Store

CHUNK = 1 << 20
Reached = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What is restored: `name` as people call it; a backup, a file of this machine, or a URL."""

    name: str
    backup: Found | None = None
    file: Path | None = None
    url: str | None = None


def capture(space: OpenSpace, app: str, argument: str | None) -> Found:
    """Begin a backup of a database; BackupUnderWay, and what a database that is not there raises."""
    space.begin_change()
    database = find_database(space, app, argument)
    shelf, session = _place(space, database)
    draft = _draft(space, database, session.host.id)
    found = _take(space, shelf, draft, "b")
    _begin(space, found, session, _job(space, found, database))
    space.ledger.audit(f"pg:backups:capture {found.backup.name}", database.app)
    return found


def source_of(space: OpenSpace, app: str, argument: str | None, folder: Path) -> Source:
    """What is meant: the newest backup, `b001`, `OTHERAPP::b001`, a file, or an https URL; BackupUnknown, NoBackups,
    BackupUnfinished, DumpMissing, DumpUnreadable."""
    if argument and argument.startswith("https://"):
        parts = urlsplit(argument)
        return Source(f"{parts.scheme}://{parts.hostname}{parts.path}", url=argument)
    if argument and (path := folder / argument).is_file():
        _check(path)
        return Source(path.name, file=path)
    other, _, name = (argument or "").rpartition("::")
    if name and not _is_number(name):
        raise DumpMissing(argument or "")
    if other and space.ledger.app(other) is None:
        raise AppNotFound(other, space.space.name)
    found = backups.find_whole(space, other or app, name or None)
    called = found.backup.name if found.backup.app == app else f"{found.backup.app}::{found.backup.name}"
    return Source(called, backup=found)


def restore(space: OpenSpace, app: str, source: Source, argument: str | None, reached: Reached) -> Found:
    """Begin to overwrite a database; `reached` hears how much of a file has been sent. BackupElsewhere."""
    space.begin_change()
    database = find_database(space, app, argument)
    shelf, session = _place(space, database)
    _check_place(shelf, source, session)
    place = place_of_existing(space, database.addon)
    told = _told(space, shelf, session, database.app, source, reached)
    draft = _draft(space, database, session.host.id, source.name)
    found = _take(space, shelf, draft, "r")
    room = {"storage": place.managed.storage} if place.managed else {}
    job = {**_job(space, found, database), "source": told, **server_facts(place), **room}
    _begin(space, found, session, job)
    space.ledger.audit(f"pg:backups:restore {source.name} {database.addon.name}", database.app)
    return found


def watch(space: OpenSpace, found: Found, reached: Reached) -> Outcome:
    """How it ended; `reached` hears how many bytes have passed. WatchLost."""
    backup = found.backup

    def hear(message: dict[str, Any], data: bytes) -> None:
        if message.get("event") == "progress":
            reached(message["bytes_done"])

    request = {"do": "watch", "app": backup.app, "name": backup.name}
    try:
        answer = backups.session_at(space, found).call("backup", request, hear)
    except ConnectionLost as lost:
        raise WatchLost(backup.name, backup.app, backup.host) from lost
    outcome = codec.decode(Outcome, answer["outcome"])
    return found.shelf.known.end(backup.app, backup.name, outcome)


def _is_number(name: str) -> bool:
    return name[:1] in ("b", "r") and name[1:].isdigit()


def _place(space: OpenSpace, database: Database) -> tuple[Shelf, Session]:
    """Where it is written down, and who works."""
    shelf = shelf_of(space, database.addon)
    return shelf, shelf.session or space.first


def _draft(space: OpenSpace, database: Database, host: str, source: str | None = None) -> Backup:
    ledger = space.ledger
    return Backup(
        database.app, "", database.addon.name, database.name, ledger.timestamp(), ledger.who, host, None, source
    )


def _take(space: OpenSpace, shelf: Shelf, draft: Backup, kind: str) -> Found:
    if busy := under_way(backups.listed(space, draft.app), draft.addon):
        raise BackupUnderWay(busy.backup.name, draft.app, draft.addon)
    backups.expire(space, draft.app)
    beyond = max((one.known.highest(draft.app, kind) for one in shelves(space)), default=0)
    taken = shelf.known.take(draft, kind, beyond=beyond)
    assert taken is not None, "nothing was asked that could say no"
    return Found(shelf, Entry(taken))


def _job(space: OpenSpace, found: Found, database: Database) -> dict[str, Any]:
    owner = space.ledger.app(database.app)
    if owner is None:
        raise NoDatabase(database.app)
    return {
        "app": database.app,
        "name": found.backup.name,
        "uid": owner.uid,
        "database": database.addon.facts["name"],
        "url": database.url,
        "addon": database.addon.name,
    }


def _begin(space: OpenSpace, found: Found, session: Session, job: dict[str, Any]) -> None:
    try:
        session.call("backup", {"do": "begin", "job": job})
    except Failure:
        lost = Outcome(FAILED, space.ledger.timestamp(), code="backup-lost")
        found.shelf.known.end(found.backup.app, found.backup.name, lost)
        raise


def _check(path: Path) -> None:
    """A file that is no dump is not sent for nothing."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(DUMP))
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or str(error)) from error
    if begin != DUMP:
        raise DumpUnreadable("", f"{path} begins with {begin!r}, and a dump with {DUMP!r}.")


def _check_place(shelf: Shelf, source: Source, session: Session) -> None:
    there = source.backup.shelf.session if source.backup else None
    if there is not None and there.host.id != session.host.id:
        raise BackupElsewhere(source.name, there.host.id, session.host.id)


def _told(
    space: OpenSpace, shelf: Shelf, session: Session, app: str, source: Source, reached: Reached
) -> dict[str, Any]:
    """What the host is told of the dump; a file is sent first."""
    if source.url:
        return {"url": source.url}
    if source.backup:
        found = source.backup
        original = found.outcome.original if found.outcome else 0
        return {"backup": [found.backup.app, found.backup.name], "original": original}
    assert source.file is not None
    name = f"u{secrets.token_hex(6)}"
    if isinstance(store := space.ledger.store.beneath, S3Store) and shelf.session is None:
        store.upload(keys.dump(app, name), source.file)
    else:
        _send(session, app, name, source.file, reached)
    return {"backup": [app, name], "original": source.file.stat().st_size}


def _send(session: Session, app: str, name: str, path: Path, reached: Reached) -> None:
    sent = 0
    with session.exchange("backup", {"do": "take", "app": app, "name": name}) as exchange, path.open("rb") as file:
        while data := file.read(CHUNK):
            exchange.send({"data": True}, data)
            sent += len(data)
            reached(sent)
        exchange.send({"end": True})
        exchange.result()
