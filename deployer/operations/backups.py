"""Backups of an app's databases: which there are, how they ended, and their end.

Their records lie where the dumps do: in the store of a space in AWS, elsewhere on the host that has the database. An
app whose databases are on several hosts has one row of numbers all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deployer.errors.backups import BackupHostAway, BackupUnfinished, BackupUnknown, NoBackups, NothingToCancel
from deployer.errors.base import Failure
from deployer.errors.host import failure
from deployer.model import codec
from deployer.model.addon import Addon
from deployer.model.backup import COMPLETED, FAILED, Backup, Outcome, expired, is_restore
from deployer.operations.database_hosts import MANAGED, host_with
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.store import HostStore
from deployer.store.backups import Backups, Entry

BEGINS_WITHIN = timedelta(minutes=2)  # from the record to the unit, which nobody may take for lost meanwhile


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where records and dumps lie: the space's bucket, or the host of a session."""

    known: Backups
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A backup or a restore, on its shelf."""

    shelf: Shelf
    entry: Entry

    @property
    def backup(self) -> Backup:
        """Its record."""
        return self.entry.backup

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it is under way."""
        return self.entry.outcome

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end."""
        return bool(self.outcome and self.outcome.status == COMPLETED)

    @property
    def has_dump(self) -> bool:
        """Whether it is a backup that can be restored."""
        return self.is_whole and not is_restore(self.backup.name)


def shelves(space: OpenSpace) -> list[Shelf]:
    """All of a space."""
    if space.space.kind == MANAGED:
        return [Shelf(Backups(space.ledger.store))]
    return [_of_host(session) for session in space.answering]


def shelf_of(space: OpenSpace, addon: Addon) -> Shelf:
    """Where backups of a database go; DatabaseHostLost."""
    return shelves(space)[0] if space.space.kind == MANAGED else _of_host(host_with(space, addon))


def _of_host(session: Session) -> Shelf:
    return Shelf(Backups(HostStore(session, backups=True)), session)


def listed(space: OpenSpace, app: str) -> list[Found]:
    """Everything that was backed up and restored of an app, the newest first."""
    found = [Found(shelf, entry) for shelf in shelves(space) for entry in shelf.known.entries(app)]
    settled = [_settled(space, one) if one.outcome is None else one for one in found]
    return sorted(settled, key=lambda one: (one.backup.created, one.backup.name), reverse=True)


def find(space: OpenSpace, app: str, name: str | None, *, restores: bool = True) -> Found:
    """The one of that number, or the newest backup that is whole; BackupUnknown, NoBackups."""
    found = [one for one in listed(space, app) if restores or not is_restore(one.backup.name)]
    if name is None:
        whole = [one for one in found if one.has_dump]
        if not whole:
            raise NoBackups(app)
        return whole[0]
    for one in found:
        if one.backup.name == name:
            return one
    raise BackupUnknown(name, app, ", ".join(sorted(one.backup.name for one in found)) or "none")


def find_whole(space: OpenSpace, app: str, name: str | None) -> Found:
    """A backup with its dump; BackupUnfinished too."""
    found = find(space, app, name, restores=False)
    if not found.is_whole:
        raise BackupUnfinished(found.backup.name, app, found.outcome.status if found.outcome else "still running")
    return found


def under_way(found: Iterable[Found], addon: str | None = None) -> Found | None:
    """The newest that is at work, in that database or any."""
    return next((one for one in found if one.outcome is None and addon in (None, one.backup.addon)), None)


def failure_of(backup: Backup, outcome: Outcome) -> Failure:
    """What went wrong, in words."""
    return failure(backup.host, outcome.code or "backup-lost", outcome.details)


def cancel(space: OpenSpace, app: str, name: str | None) -> Found:
    """End the one of that number, or the newest that is at work; NothingToCancel, BackupHostAway."""
    found = find(space, app, name) if name else under_way(listed(space, app))
    if found is None or found.outcome is not None:
        raise NothingToCancel(app)
    request = {"do": "cancel", "app": app, "name": found.backup.name}
    session_at(space, found).call("backup", request)
    return _settled(space, found)


def delete(space: OpenSpace, app: str, name: str) -> None:
    """Have a backup no more, with its dump; its number stays taken."""
    found = find(space, app, name, restores=False)
    if found.outcome is None:
        raise BackupUnfinished(name, app, "still running")
    _delete(space, app, [found])
    space.ledger.audit(f"pg:backups:delete {name}", app)


def expire(space: OpenSpace, app: str) -> list[str]:
    """What newer backups of a schedule have replaced goes: hosts of AWS may delete nothing."""
    found = listed(space, app)
    names = expired((one.backup, one.outcome) for one in found)
    _delete(space, app, [one for one in found if one.backup.name in names])
    for shelf in shelves(space):
        if shelf.session is None:
            shelf.known.sweep(app)
    return names


def forget(space: OpenSpace, app: str) -> None:
    """Have nothing of an app any more, as it goes itself."""
    for shelf in shelves(space):
        if shelf.session is not None:
            shelf.session.call("backup", {"do": "forget", "app": app})
        else:
            shelf.known.forget(app)


def end_schedule(space: OpenSpace, addon: Addon) -> None:
    """As a database goes: its backups stay, and no more are made."""
    for shelf in shelves(space):
        if shelf.session is not None:
            shelf.session.call("backup", {"do": "unschedule", "app": addon.app, "addon": addon.name})
        else:
            shelf.known.delete_schedule(addon.app, addon.name)


def _delete(space: OpenSpace, app: str, found: Iterable[Found]) -> None:
    for one in found:
        if one.shelf.session is not None:
            one.shelf.session.call("backup", {"do": "drop", "app": app, "names": [one.backup.name]})
        one.shelf.known.delete(app, one.backup.name, space.ledger.timestamp())


def session_at(space: OpenSpace, found: Found) -> Session:
    """The session with the host that is at work; BackupHostAway."""
    session = found.shelf.session or space.session_of(found.backup.host)
    if session is None:
        raise BackupHostAway(found.backup.name, found.backup.host)
    return session


def _settled(space: OpenSpace, found: Found) -> Found:
    """The same with its outcome, where it has one by now that its host could not write."""
    backup = found.backup
    age = datetime.fromisoformat(space.ledger.timestamp()) - datetime.fromisoformat(backup.created)
    session = found.shelf.session or space.session_of(backup.host)
    if session is None:
        is_known = backup.host in {host.id for host in space.hosts_known()}
        outcome = None if is_known else Outcome(FAILED, space.ledger.timestamp(), code="backup-lost")
    else:
        answer = session.call("backup", {"do": "look", "app": backup.app, "names": [backup.name]})
        outcome = codec.decode(Outcome, told) if (told := answer["outcomes"].get(backup.name)) else None
        if outcome and outcome.code == "backup-lost" and age < BEGINS_WITHIN:
            outcome = None
    if outcome is None:
        return found
    return Found(found.shelf, Entry(backup, found.shelf.known.end(backup.app, backup.name, outcome)))
