"""`pg:backups` and its kin, as typed."""

from __future__ import annotations

import json

import pytest

from deployer.model.backup import COMPLETED, FAILED, Backup, Outcome
from deployer.operations.backup_schedules import parse_at
from deployer.store.backups import Backups
from tests.cli.conftest import Machine

AT = "2026-09-30T14:00:00Z"


@pytest.fixture
def machine(machine: Machine) -> Machine:
    """Its app has a backup that is whole, one that failed, and a restore."""
    machine.add_space()
    machine.ledger().create_app("shop", space="sandbox")
    known = Backups(machine.host.backups)
    for kind, source in (("b", None), ("b", None), ("r", "b001")):
        draft = Backup("shop", "", "postgresql-flat-1", "DATABASE", AT, "ada@laptop", "host-1", None, source)
        known.take(draft, kind)
    known.end("shop", "b001", Outcome(COMPLETED, AT, 1_200_000, 8_000_000, "17.5"))
    known.end("shop", "b002", Outcome(FAILED, AT, code="backup-failed", details={"said": "too many connections"}))
    known.end("shop", "r001", Outcome(COMPLETED, AT, 1_200_000, skipped=("extension postgis",)))
    return machine


def test_backups_and_restores_stand_in_tables(machine: Machine) -> None:
    assert machine.run("pg:backups", "-a", "shop") == 0
    assert machine.out == (
        "=== Backups\n\n"
        "ID    Created at                 Status                               Size    Database\n"
        "────  ─────────────────────────  ───────────────────────────────────  ──────  ────────\n"
        "b002  2026-09-30 14:00:00 +0000  Failed 2026-09-30 14:00:00 +0000             DATABASE\n"
        "b001  2026-09-30 14:00:00 +0000  Completed 2026-09-30 14:00:00 +0000  1.2 MB  DATABASE\n"
        "\n=== Restores\n\n"
        "ID    Started at                 Status                               Size    Backup  Database\n"
        "────  ─────────────────────────  ───────────────────────────────────  ──────  ──────  ────────\n"
        "r001  2026-09-30 14:00:00 +0000  Completed 2026-09-30 14:00:00 +0000  1.2 MB  b001    DATABASE\n\n"
    )
    assert "lie on the host that has the database" in machine.err


def test_one_says_why_it_failed_and_what_was_left_out(machine: Machine) -> None:
    assert machine.run("pg:backups:info", "b002", "-a", "shop") == 0
    assert "too many connections" in machine.err
    assert machine.run("pg:backups:info", "-a", "shop") == 0
    assert "Original DB Size: 8.0 MB\n" in machine.out
    assert machine.run("pg:backups:info", "r001", "-a", "shop", "--json") == 0
    assert json.loads(machine.out)["left_out"] == ["extension postgis"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("info", "b009"), "Couldn't find the backup b009 of ⬢ shop."),
        (("url",), "Backups of the space sandbox have no URL"),
        (("download", "b002"), "The backup b002 of ⬢ shop cannot be used: it is failed."),
        (("restore", "nothing.dump", "--confirm", "shop"), "`nothing.dump` is no backup, no file, and no https URL."),
        (("restore", "http://example.com/a.dump"), "`http://example.com/a.dump` is no backup"),
        (("restore", "other::b001"), "Couldn't find"),
        (("capture",), "⬢ shop has no databases."),
        (("cancel",), "No backup or restore of ⬢ shop is at work."),
        (("schedule", "--at", "2:30"), "`2:30` is no time for a schedule."),
        (("schedule", "--at", "02:00 Atlantis"), "`02:00 Atlantis` is no time for a schedule."),
    ],
)
def test_what_cannot_be_done_is_said(machine: Machine, words: tuple[str, ...], said: str) -> None:
    name, *rest = words
    assert machine.run(f"pg:backups:{name}", *rest, "-a", "shop") in (1, 2)
    assert said in machine.err, machine.err


def test_a_deleted_one_is_no_more_and_its_number_is_not_given_again(machine: Machine) -> None:
    assert machine.run("pg:backups:delete", "b002", "-a", "shop", "--confirm", "shop") == 0
    assert ("backup", {"do": "drop", "app": "shop", "names": ["b002"]}) in machine.host.asked
    assert machine.run("pg:backups", "-a", "shop") == 0
    assert "b002" not in machine.out
    assert Backups(machine.host.backups).highest("shop", "b") == 2


def test_who_deletes_an_app_hears_of_its_backups(machine: Machine) -> None:
    machine.answer = "no"
    machine.run("apps:destroy", "-a", "shop")
    assert f"Its backups go too: 1, the newest b001 of {AT}" in machine.err


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("02:00", (2, "UTC")),
        ("2:00 PST", (2, "America/Los_Angeles")),
        ("14:00 Europe/Berlin", (14, "Europe/Berlin")),
        ("23:00UTC", (23, "UTC")),
    ],
)
def test_times_are_read_as_herokus(text: str, at: tuple[int, str]) -> None:
    assert parse_at(text) == at
