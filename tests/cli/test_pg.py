"""`pg:info`, `pg:psql` and `pg:promote` as they are typed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.cli.pg import GivenInput
from deployer.model.addon import Addon
from deployer.model.app import Attachment
from tests.cli.conftest import Machine

URL = "postgres://u1:hunter2@10.0.0.1:5432/u1?sslmode=verify-full"
ANSWER = {"version": "17.2 (Debian)", "size": 8_100_000, "tables": 12, "connections": 3, "limit": 20}


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """`shop` with a database, as DATABASE and HEROKU_POSTGRESQL_COBALT."""
    ledger = machine.add_space()
    app = ledger.create_app("shop", space="sandbox")
    names = ("HEROKU_POSTGRESQL_COBALT", "DATABASE")
    ledger.save_app(replace(app, attachments=tuple(Attachment(name, "postgresql-flat-12345") for name in names)))
    created = "2026-09-30T13:59:06Z"
    addon = Addon(
        "postgresql-flat-12345",
        "heroku-postgresql",
        "mini",
        "shop",
        created,
        "provisioned",
        config={"URL": URL},
        facts={"name": "u1", "password": "hunter2"},
    )
    ledger.save_addon(addon)
    machine.host.answers["postgres"] = ANSWER
    return machine


def test_pg_info_reads_like_herokus(shop: Machine, golden: Callable[[str, str], None]) -> None:
    golden("commands/pg_info.txt", shop.shown("pg", "-a", "shop") + "\n" + shop.shown("pg:info", "COBALT", "--json"))
    assert "hunter2" not in shop.out


def test_an_app_without_databases_says_so(machine: Machine) -> None:
    machine.add_space().create_app("blog", space="sandbox")
    assert (machine.run("pg:info", "-a", "blog"), machine.out) == (0, "⬢ blog has no databases.\n")
    assert machine.run("pg:psql", "-a", "blog") == 1
    assert "addons:create heroku-postgresql -a blog" in machine.err


def test_the_primary_database_is_not_promoted(shop: Machine) -> None:
    assert shop.run("pg:promote", "COBALT", "-a", "shop") == 1
    assert "postgresql-flat-12345 is the primary database of ⬢ shop already." in shop.err


def test_an_unknown_database_is_an_error_that_lists_what_there_is(shop: Machine) -> None:
    assert shop.run("pg:info", "PINKISH", "-a", "shop") == 1
    assert "DATABASE_URL, HEROKU_POSTGRESQL_COBALT_URL, postgresql-flat-12345" in shop.err


def test_commands_and_a_file_at_once_are_refused(shop: Machine) -> None:
    assert shop.run("psql", "-c", "select 1", "-f", "x.sql", "-a", "shop") == 2


def test_a_file_that_is_not_there_is_named(shop: Machine) -> None:
    assert shop.run("psql", "-f", "missing.sql", "-a", "shop") == 2
    assert "missing.sql" in shop.err


def test_given_input_is_passed_on_to_its_end(tmp_path: Path) -> None:
    source = GivenInput(io.BytesIO(b"x" * 40_000))
    pieces = [source.read(), source.read(), source.read()]
    assert ([len(piece) for piece in pieces], source.tty) == ([32768, 7232, 0], False)
