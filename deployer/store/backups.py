"""Records of backups, in the store of a space in AWS, or on the host that has the dumps. Each is written once: hosts
may write them with nobody there, and never over another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from deployer.model.backup import DELETED, Backup, Outcome, Schedule
from deployer.store import keys, record
from deployer.store.base import Delete, Get, List, Lost, Put, Store

DUMP = ".dump"


@dataclass(frozen=True, slots=True)
class Entry:
    """A backup, or what was restored; `outcome` is None while it is under way."""

    backup: Backup
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """How many dumps there are, and when the newest was begun."""

    count: int
    newest: str = ""


def stock(store: Store) -> Stock:
    """Of all apps of a store that is a bucket, in two requests or three."""
    listed = store.batch([List(keys.BACKUPS)]).answers[0]
    assert isinstance(listed, tuple)
    dumps = [key.removesuffix(DUMP) for key in listed if key.endswith(DUMP) and key.rpartition("/")[2][0] == "b"]
    newest = {key.rpartition("/")[0]: key for key in sorted(dumps, key=lambda key: (len(key), key))}
    answers = store.batch([Get(key) for key in newest.values()]).answers if newest else ()
    found = (record.found(Backup, one) for one in answers)
    return Stock(len(dumps), max((one.created for one in found if one), default=""))


class Backups:
    """Of all apps of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def entries(self, app: str, *, deleted: bool = False) -> list[Entry]:
        """Those of an app, the oldest first."""
        names = self._names(app)
        wanted = [Get(key) for name in names for key in (keys.backup(app, name), keys.outcome(app, name))]
        answers = self._store.batch(wanted).answers if wanted else ()
        pairs = zip(answers[::2], answers[1::2], strict=True)
        read = [(record.found(Backup, one), record.found(Outcome, end)) for one, end in pairs]
        found = [Entry(one, end) for one, end in read if one is not None]
        return [one for one in found if deleted or not (one.outcome and one.outcome.status == DELETED)]

    def highest(self, app: str, kind: str) -> int:
        """The highest number that a kind (`b` or `r`) has; 0 where there is none."""
        numbers = [int(name[1:]) for name in self._names(app) if name[0] == kind and name[1:].isdigit()]
        return max(numbers, default=0)

    def take(
        self, draft: Backup, kind: str, *, beyond: int = 0, unless: Callable[[list[Entry]], bool] | None = None
    ) -> Backup | None:
        """The draft under the next number of a kind, which is beyond that of others, no number twice; None where
        `unless` says so of what is there."""
        while True:
            if unless and unless(self.entries(draft.app, deleted=True)):
                return None
            taken = replace(draft, name=f"{kind}{max(beyond, self.highest(draft.app, kind)) + 1:03d}")
            try:
                record.put(self._store, Put(keys.backup(taken.app, taken.name), record.dump(taken), if_absent=True))
            except Lost:
                continue
            return taken

    def end(self, app: str, name: str, outcome: Outcome) -> Outcome:
        """Write how it ended; the first word stands, which comes back."""
        try:
            record.put(self._store, Put(keys.outcome(app, name), record.dump(outcome), if_absent=True))
        except Lost:
            return record.found(Outcome, self._store.batch([Get(keys.outcome(app, name))]).answers[0]) or outcome
        return outcome

    def delete(self, app: str, name: str, at: str) -> None:
        """Have it no more: the number stays taken."""
        gone = Put(keys.outcome(app, name), record.dump(Outcome(DELETED, at)))
        self._store.batch([Delete(keys.dump(app, name)), gone])

    def sweep(self, app: str) -> None:
        """Have no dumps that were sent for restores which have ended: hosts of AWS delete nothing."""
        listed = self._store.batch([List(f"{keys.backups(app)}u")]).answers[0]
        assert isinstance(listed, tuple)
        if listed and all(one.outcome for one in self.entries(app)):
            self._store.batch([Delete(key) for key in listed])

    def schedules(self, app: str | None = None) -> list[Schedule]:
        """Those of an app, or all."""
        listed = self._store.batch([List(keys.schedules(app) if app else keys.SCHEDULES)]).answers[0]
        assert isinstance(listed, tuple)
        answers = self._store.batch([Get(key) for key in listed]).answers if listed else ()
        found = (record.found(Schedule, one) for one in answers)
        return [one for one in found if one is not None]

    def save_schedule(self, schedule: Schedule) -> None:
        """In the place of the one that the database has."""
        self._store.batch([Put(keys.schedule(schedule.app, schedule.addon), record.dump(schedule))])

    def delete_schedule(self, app: str, addon: str) -> None:
        """Have none."""
        self._store.batch([Delete(keys.schedule(app, addon))])

    def forget(self, app: str) -> None:
        """All of an app: records, schedules, and dumps where the store has them."""
        found = self._store.batch([List(keys.backups(app)), List(keys.schedules(app))]).answers
        names = [name for listed in found if isinstance(listed, tuple) for name in listed]
        if names:
            self._store.batch([Delete(name) for name in names])

    def _names(self, app: str) -> list[str]:
        listed = self._store.batch([List(keys.backups(app))]).answers[0]
        assert isinstance(listed, tuple)
        names = [key.removeprefix(keys.backups(app)) for key in listed]
        return [name for name in names if "." not in name]
