"""Records of backups: no number twice, no word over another, whoever writes at the same moment."""

from __future__ import annotations

from collections.abc import Sequence

from deployer.model.backup import CANCELED, COMPLETED, DELETED, Backup, Outcome
from deployer.store import keys
from deployer.store.backups import Backups, Stock, stock
from deployer.store.base import Op, Put
from tests.store.memory_store import MemoryStore

DUE = "2026-01-02T03:00:00Z"
DRAFT = Backup("shop", "", "pg-1", "DATABASE", DUE, "the schedule", "i-1", DUE)
AT = "2026-01-02T03:05:00Z"


def test_numbers_go_on_by_kind_and_none_comes_back() -> None:
    known = Backups(MemoryStore())
    names = [taken.name for kind in "bbr" if (taken := known.take(DRAFT, kind))]
    known.end("shop", "b002", Outcome(COMPLETED, AT))
    known.delete("shop", "b002", AT)
    assert names == ["b001", "b002", "r001"]
    assert [one.backup.name for one in known.entries("shop")] == ["b001", "r001"]
    taken = known.take(DRAFT, "b", beyond=6)
    assert taken and taken.name == "b007"
    assert known.highest("shop", "b") == 7


def test_of_two_hosts_that_are_due_at_once_one_makes_the_backup() -> None:
    """The other one looks again, and finds it made."""

    def meanwhile(ops: Sequence[Op]) -> None:
        if any(isinstance(op, Put) for op in ops) and others:
            assert others.pop().take(DRAFT, "b")

    store = MemoryStore(meanwhile)
    others = [Backups(store)]
    own = Backups(store)
    made = own.take(DRAFT, "b", unless=lambda found: any(one.backup.scheduled == DUE for one in found))
    assert made is None
    assert [one.backup.name for one in own.entries("shop")] == ["b001"]


def test_the_first_word_of_how_it_ended_stands() -> None:
    known = Backups(MemoryStore())
    known.take(DRAFT, "b")
    first = Outcome(CANCELED, AT)
    assert known.end("shop", "b001", first) == first
    assert known.end("shop", "b001", Outcome(COMPLETED, AT)) == first


def test_what_was_sent_for_a_restore_goes_when_nothing_is_at_work() -> None:
    store = MemoryStore()
    known = Backups(store)
    known.take(DRAFT, "r")
    store.batch([Put(keys.dump("shop", "u0a1b"), b"PGDMP"), Put(keys.dump("shop", "b001"), b"PGDMP")])
    known.sweep("shop")
    assert keys.dump("shop", "u0a1b") in store.bodies
    known.end("shop", "r001", Outcome(COMPLETED, AT))
    known.sweep("shop")
    assert keys.dump("shop", "u0a1b") not in store.bodies
    assert keys.dump("shop", "b001") in store.bodies


def test_the_stock_of_a_space_is_counted_by_its_dumps() -> None:
    store = MemoryStore()
    known = Backups(store)
    assert stock(store) == Stock(0)
    for _ in range(2):
        taken = known.take(DRAFT, "b")
        assert taken
        store.batch([Put(keys.dump("shop", taken.name), b"PGDMP")])
    known.end("shop", "b001", Outcome(COMPLETED, AT))
    known.delete("shop", "b001", AT)
    assert stock(store) == Stock(1, DUE)
    assert known.entries("shop", deleted=True)[0].outcome == Outcome(DELETED, AT)
    known.forget("shop")
    assert stock(store) == Stock(0) and known.entries("shop") == []
