"""Backups of databases on real hosts: pg_dump and pg_restore in units of their own, whatever becomes of who watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.errors.backups import OutputExists
from deployer.model.backup import COMPLETED, FAILED, Outcome
from deployer.model.events import Event
from deployer.model.space import Pointer
from deployer.operations import addons, backup_files, backup_work, backups, pg
from deployer.operations.backups import Found
from deployer.operations.session import OpenSpace, open_space
from tests.hosts.machine import Machine
from tests.hosts.test_postgres import Typed

pytestmark = pytest.mark.hosts
PG = "heroku-postgresql:hobby-dev"
APP = "bkshop"
ROWS = "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, {}) n"


def silent(event: Event) -> None:
    """Hear nothing."""


def unheard(count: int) -> None:
    """Hear nothing."""


@pytest.fixture(scope="module")
def app(space: Pointer) -> Iterator[str]:
    """An app with a database."""
    with open_space(space) as found:
        found.ledger.create_app(APP, space=space.name)
        addons.create(found, APP, PG, silent)
        sql(found, "CREATE TABLE orders (id int PRIMARY KEY, what text)")
        sql(found, ROWS.format(1000))
    yield APP
    with open_space(space) as found:
        backups.forget(found, APP)
        addons.destroy(found, APP, "DATABASE", silent)
        found.ledger.delete_app(APP)


@pytest.fixture
def opened(space: Pointer, app: str) -> Iterator[OpenSpace]:
    with open_space(space) as found:
        yield found


def sql(opened: OpenSpace, *commands: str) -> str:
    """What psql says, as the app's own role."""
    typed = Typed()
    status = pg.psql(opened, APP, None, pg.Psql(commands), typed).attend(typed)
    assert status == 0, typed.heard
    return typed.heard["stdout"].decode()


def count(opened: OpenSpace) -> int:
    return int(sql(opened, "SELECT count(*) FROM orders").split()[2])


def captured(opened: OpenSpace) -> Found:
    found = backup_work.capture(opened, APP, None)
    outcome = ended(opened, found)
    if outcome.status != COMPLETED:
        print(Machine(opened.first).run("journalctl --no-pager -n 40 -u 'deployer-backup-*'"))
    assert outcome.status == COMPLETED, outcome
    return found


def ended(opened: OpenSpace, found: Found) -> Outcome:
    outcome = backup_work.watch(opened, found, unheard)
    assert outcome.status != FAILED or outcome.code, outcome
    return outcome


def restored(opened: OpenSpace, name: str | None, folder: Path = Path("/")) -> Outcome:
    source = backup_work.source_of(opened, APP, name, folder)
    return ended(opened, backup_work.restore(opened, APP, source, None, unheard))


def test_what_was_captured_is_restored(opened: OpenSpace) -> None:
    found = captured(opened)
    [listed] = [one for one in backups.listed(opened, APP) if one.backup.name == found.backup.name]
    assert listed.is_whole and listed.outcome and listed.outcome.size > 1000 and listed.outcome.original > 10**6
    sql(opened, "DELETE FROM orders WHERE id > 10", "CREATE TABLE later (a int)")
    assert restored(opened, None).status == COMPLETED
    assert count(opened) == 1000
    assert "later" not in sql(opened, "\\dt")
    sql(opened, "INSERT INTO orders VALUES (5000, 'still mine')", "DELETE FROM orders WHERE id = 5000")


def test_it_comes_to_a_laptop_and_back(opened: OpenSpace, tmp_path: Path) -> None:
    captured(opened)
    found = backups.find_whole(opened, APP, None)
    path = tmp_path / "latest.dump"
    size = backup_files.download(opened, found, path, unheard)
    assert found.outcome and path.stat().st_size == size == found.outcome.size
    with pytest.raises(OutputExists):
        backup_files.download(opened, found, path, unheard)
    sql(opened, "TRUNCATE orders")
    assert restored(opened, "latest.dump", tmp_path).status == COMPLETED
    assert count(opened) == 1000
    assert not Machine(opened.first).run("ls /srv/deployer/backups/dumps/bkshop | grep ^u || true")
