"""Backups of databases on real hosts: pg_dump and pg_restore in units of their own, whatever becomes of who watches."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deployer.errors.backups import BackupUnderWay, DumpUnreadable, OutputExists
from deployer.model.backup import CANCELED, COMPLETED, FAILED, Outcome
from deployer.model.events import Event
from deployer.model.space import Pointer
from deployer.operations import addons, backup_files, backup_schedules, backup_work, backups, pg
from deployer.operations.backups import Found
from deployer.operations.session import OpenSpace, open_space
from tests.hosts.machine import Machine
from tests.hosts.person import Person
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
    assert soon(lambda: Machine(opened.first).run("ls /srv/deployer/backups/dumps/bkshop | grep ^u || true"), "")


def test_a_restore_that_is_cut_off_leaves_the_data(opened: OpenSpace) -> None:
    """By somebody who cancels it, by a host that loses its power: each in the middle of the new database."""
    captured(opened)
    sql(opened, "INSERT INTO orders VALUES (7777, 'written since')")
    source = backup_work.source_of(opened, APP, None, Path("/"))
    with held(opened, "pg_restore"):
        found = backup_work.restore(opened, APP, source, None, unheard)
        seen(opened, "datname LIKE '%_new'")
        with pytest.raises(BackupUnderWay):
            backup_work.capture(opened, APP, None)
        assert count(opened) == 1001
        assert backups.cancel(opened, APP, None).outcome is not None
    assert ended(opened, found).status == CANCELED
    with held(opened, "pg_restore"):
        found = backup_work.restore(opened, APP, source, None, unheard)
        seen(opened, "datname LIKE '%_new'")
        Machine(opened.first).run(f"systemctl kill --signal=KILL deployer-backup-{APP}-{found.backup.name}.service")
    outcome = ended(opened, found)
    assert (outcome.status, outcome.code) == (FAILED, "backup-lost")
    assert count(opened) == 1001
    sql(opened, "DELETE FROM orders WHERE id = 7777")
    assert restored(opened, None).status == COMPLETED
    assert superuser(opened, "SELECT count(*) FROM pg_database WHERE datname ~ '_(new|old)$'") == "0"
    assert superuser(opened, "SELECT count(*) FROM pg_roles WHERE rolname ~ '_new$'") == "0"


def test_an_app_that_never_lets_go_is_cut_off_and_goes_on(opened: OpenSpace) -> None:
    """All of a plan's connections are taken, again and again: a backup waits for one, a restore ends them."""
    captured(opened)
    url = pg.find_database(opened, APP, None).url
    busy = f"while [ -e /run/busy ]; do psql -X -q -c 'SELECT pg_sleep(1)' '{url}' > /dev/null 2>&1; done"
    Machine(opened.sessions[1]).run(f"touch /run/busy; for n in $(seq 20); do ({busy}) > /dev/null 2>&1 & done")
    try:
        time.sleep(1)
        captured(opened)
        began = time.monotonic()
        assert restored(opened, None).status == COMPLETED
        assert time.monotonic() - began < 90
    finally:
        Machine(opened.sessions[1]).run("rm /run/busy")
    time.sleep(1.5)
    assert count(opened) == 1000


def test_a_backup_whose_host_dies_has_failed_and_leaves_nothing(opened: OpenSpace) -> None:
    with held(opened, "pg_dump"):
        found = backup_work.capture(opened, APP, None)
        dumps = f"ls -A /srv/deployer/backups/dumps/{APP}"
        assert soon(lambda: f".{found.backup.name}.part" in Machine(opened.first).run(dumps), True)
        Machine(opened.first).run(f"systemctl kill --signal=KILL deployer-backup-{APP}-{found.backup.name}.service")
    [listed] = [one for one in backups.listed(opened, APP) if one.backup.name == found.backup.name]
    assert listed.outcome is None, "for its first minutes somebody may be about to begin it"
    assert ended(opened, found).code == "backup-lost"
    assert found.backup.name not in Machine(opened.first).run(dumps)


def test_who_watches_may_go(opened: OpenSpace, space: Pointer, tmp_path: Path) -> None:
    """By Ctrl-C: the command says how it goes on, and the unit makes the backup."""
    ada = Person(tmp_path, APP, 0)
    with held(opened, "pg_dump"):
        typed = ada.starts("deployer", "pg:backups:capture", "-a", f"{space.name}/{APP}")
        assert typed.stderr and typed.stdout
        said = b""
        while b"Backing up" not in said:
            said += os.read(typed.stderr.fileno(), 4096)
        os.killpg(typed.pid, signal.SIGINT)
        said += typed.stderr.read()
        assert typed.wait() == 130, said
        typed.stdout.close()
        typed.stderr.close()
    assert b"goes on: `deployer pg:backups:info b" in said, said
    found = backups.listed(opened, APP)[0]
    assert ended(opened, found).status == COMPLETED


def test_a_disk_that_would_fill_is_refused_with_numbers(opened: OpenSpace) -> None:
    """A small file system in the place of the dumps: the database is none the wiser."""
    machine = Machine(opened.first)
    sql(
        opened,
        "CREATE TABLE noise AS SELECT gen_random_uuid() AS x, gen_random_uuid() AS y FROM generate_series(1, 300000)",
    )
    dumps = f"/srv/deployer/backups/dumps/{APP}"
    machine.run(f"mkdir -p {dumps} && mount -t tmpfs -o size=8m tmpfs {dumps}")
    try:
        outcome = ended(opened, backup_work.capture(opened, APP, None))
        assert outcome.code == "backup-no-room", outcome
        assert outcome.details["written"] > 0 and outcome.details["reserve"] > 800_000
        assert machine.run(f"ls -A {dumps}") == ""
    finally:
        machine.run(f"umount {dumps}")
        sql(opened, "DROP TABLE noise")


FOREIGN = """
CREATE ROLE heroku_owner SUPERUSER;
CREATE DATABASE foreign_app OWNER heroku_owner TEMPLATE template0;
\\c foreign_app
CREATE SCHEMA heroku_ext; CREATE SCHEMA _heroku;
CREATE EXTENSION pgcrypto SCHEMA heroku_ext; CREATE EXTENSION pg_stat_statements SCHEMA heroku_ext;
CREATE FUNCTION _heroku.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION _heroku.on_ddl();
SET ROLE heroku_owner; ALTER SCHEMA public OWNER TO heroku_owner; COMMENT ON SCHEMA public IS 'theirs';
CREATE TABLE public.orders (id uuid DEFAULT heroku_ext.gen_random_uuid(), what text);
INSERT INTO orders (what) VALUES ('from heroku'); GRANT SELECT ON orders TO pg_monitor;
CREATE PUBLICATION everything FOR ALL TABLES;
"""


def test_a_dump_of_herokus_comes_in(opened: OpenSpace, tmp_path: Path) -> None:
    """Its owners, its extensions, its event triggers are not here."""
    machine = Machine(opened.first)
    script = FOREIGN.replace("'", "'\\''")
    as_postgres = "setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/nonexistent"
    machine.run(f"cd / && printf '%s' '{script}' | {as_postgres} psql -X -q -v ON_ERROR_STOP=1 postgres")
    try:
        machine.run(f"cd / && {as_postgres} pg_dump -Fc foreign_app > /tmp/foreign.dump")
    finally:
        superuser(opened, "DROP DATABASE foreign_app WITH (FORCE)")
        superuser(opened, "DROP ROLE heroku_owner")
    encoded = machine.run("base64 -w0 /tmp/foreign.dump; rm /tmp/foreign.dump")
    (tmp_path / "latest.dump").write_bytes(base64.b64decode(encoded))
    captured(opened)
    outcome = restored(opened, "latest.dump", tmp_path)
    assert outcome.status == COMPLETED, outcome
    assert outcome.skipped == (
        "Heroku's own schema _heroku",
        "event triggers",
        "extension pg_stat_statements",
        "publications",
    )
    assert "from heroku" in sql(opened, "SELECT what FROM orders")
    sql(opened, "INSERT INTO orders (what) VALUES ('mine')", "CREATE TABLE more (a int)")
    before = backups.find_whole(opened, APP, None)
    assert restored(opened, before.backup.name).status == COMPLETED
    assert count(opened) == 1000


def test_what_is_no_dump_is_said_so(opened: OpenSpace, tmp_path: Path) -> None:
    (tmp_path / "plain.sql").write_text("-- PostgreSQL database dump\nSELECT 1;\n")
    with pytest.raises(DumpUnreadable, match="no dump in PostgreSQL's custom format"):
        backup_work.source_of(opened, APP, "plain.sql", tmp_path)
    (tmp_path / "half.dump").write_bytes(b"PGDMP\x01\x20\x00 and no more")
    outcome = restored(opened, "half.dump", tmp_path)
    assert outcome.code in ("dump-newer", "dump-unreadable"), outcome
    assert count(opened) == 1000


def test_a_schedule_is_kept_with_nobody_there_and_the_newest_stay(opened: OpenSpace) -> None:
    assert Machine(opened.first).run("systemctl is-active deployer-backups-v1.timer").strip() == "active"
    Machine(opened.first).run("systemctl stop deployer-backups-v1.timer")  # whose days are others
    made = backup_schedules.schedule(opened, APP, None, "03:00 Europe/Berlin")
    shelf = backups.shelves(opened)[0]
    assert shelf.session is not None
    shelf.known.save_schedule(replace(made, created="2026-01-01T00:00:00Z"))
    request = {"now": "2026-01-01T01:00:00+00:00"}
    assert shelf.session.call("backups_due", request) == {"begun": []}, "two in Berlin"
    days = [f"2026-01-{day:02d}T02:30:00+00:00" for day in range(2, 11)]
    for day in days:
        [begun] = shelf.session.call("backups_due", {"now": day})["begun"]
        assert shelf.session.call("backups_due", {"now": day})["begun"] == []
        name = begun.partition("::")[2]
        assert ended(opened, backups.find(opened, APP, name)).status == COMPLETED
    newest = [f"2026-01-{day:02d}T02:00:00Z" for day in range(10, 3, -1)]
    assert soon(lambda: [one.backup.scheduled for one in backups.listed(opened, APP) if one.backup.scheduled], newest)
    Machine(opened.first).run("systemctl start deployer-backups-v1.timer")
    backup_schedules.unschedule(opened, APP, None)
    assert backup_schedules.schedules(opened, APP) == []


def test_nothing_of_it_is_anybodys_but_roots(opened: OpenSpace) -> None:
    """Nor is a password in a unit, an argument, a journal or a file that stays."""
    password = urlsplit(pg.find_database(opened, APP, None).url).password
    assert password
    with held(opened, "pg_dump"):
        found = backup_work.capture(opened, APP, None)
        shown = Machine(opened.first.second()).run(
            f"sleep 1; ps -eww -o args; systemctl show deployer-backup-{APP}-{found.backup.name}.service;"
            "journalctl --no-pager -u 'deployer-backup-*'; grep -r . /srv/deployer/backups/work"
        )
    ended(opened, found)
    assert "pg_dump" in shown and password not in shown
    assert Machine(opened.first).run("stat -c %a /srv/deployer/backups /srv/deployer/backups/dumps").split()[0] == "700"


HELD = """\
#!/bin/sh
case "$*" in *"--no-password --list"*) ;; *) while [ -e /run/held ]; do sleep 0.1; done ;; esac
exec {}.real "$@"
"""


def soon(look: Callable[[], object], wanted: object) -> bool:
    """Whether it is so within seconds: a unit sweeps after it has said how it ended."""
    deadline = time.monotonic() + 20
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return True


@contextmanager
def held(opened: OpenSpace, program: str) -> Iterator[None]:
    """A program of PostgreSQL's that waits for the end of the block before it begins."""
    machine = Machine(opened.first.second())
    where = machine.run(f"echo /usr/lib/postgresql/*/bin/{program}").split()[-1]
    slow = HELD.format(where).replace("\n", "\\n")
    make = f"printf '{slow}' > {where}.held; chmod 755 {where}.held"
    machine.run(f"touch /run/held; {make}; ln -f {where} {where}.real; mv {where}.held {where}")
    try:
        yield
    finally:
        # Both names stay: one that waits goes on with the other.
        machine.run(f"ln {where}.real {where}.free; mv {where}.free {where}; rm /run/held")


def seen(opened: OpenSpace, what: str) -> None:
    """Wait until the server has such a database."""
    deadline = time.monotonic() + 30
    while superuser(opened, f"SELECT count(*) FROM pg_database WHERE {what}") == "0":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def superuser(opened: OpenSpace, statement: str) -> str:
    user = "setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/nonexistent"
    return Machine(opened.first.second()).run(f'cd / && {user} psql -X -At -c "{statement}" postgres').strip()
