"""Add-ons, as people see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]
PLAN = "heroku-postgresql:essential-0"


@pytest.fixture
def with_database(sandbox: Machine) -> Machine:
    """`shop` with one database, on a host that has a PostgreSQL."""
    sandbox.host.answers["postgres"] = {"version": "17", "port": 5432, "ca": "", "changed": False}
    sandbox.run("create", "shop")
    assert sandbox.run("addons:create", PLAN, "--name", "db-1") == 0, sandbox.err
    return sandbox


def attachments(machine: Machine) -> list[str]:
    app = machine.ledger().app("shop")
    assert app is not None
    return [attachment.name for attachment in app.attachments]


def test_creating_sets_its_config_vars_as_one_release(with_database: Machine) -> None:
    first, colour = attachments(with_database)
    assert (first, colour.startswith("HEROKU_POSTGRESQL_")) == ("DATABASE", True)
    assert with_database.out == f"Created db-1 as DATABASE_URL, {colour}_URL\n"
    assert with_database.err.startswith(f"Creating {PLAN} on ⬢ shop... done, free\n")
    state = with_database.ledger().state("shop")
    assert state is not None and state.release is not None
    assert state.release.name == "v2" and set(state.config) == {"DATABASE_URL", f"{colour}_URL"}


def test_the_table_shows_what_it_is_attached_as(with_database: Machine) -> None:
    colour = attachments(with_database)[1]
    assert with_database.run("addons") == 0
    lines = with_database.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:5]] == [
        "Add-on",
        "─" * max(len("heroku-postgresql (db-1)"), len(f"└─ as {colour}")),
        "heroku-postgresql (db-1)",
        "├─ as DATABASE",
        f"└─ as {colour}",
    ]


def test_no_secret_is_in_a_listing(with_database: Machine) -> None:
    addon = with_database.ledger().addon("db-1")
    assert addon is not None
    for words in ("addons", "addons --json", "addons:info db-1", "addons:info DATABASE --json", "info --json"):
        assert with_database.run(*words.split()) == 0
        assert addon.facts["password"] not in with_database.out


def test_its_config_vars_are_nobody_elses_to_change(with_database: Machine) -> None:
    for words in ("config:set DATABASE_URL=x", "config:unset DATABASE_URL"):
        assert with_database.run(*words.split()) == 2
        assert "DATABASE_URL is given by an add-on" in with_database.err


def test_destroying_wants_the_apps_name_and_takes_the_config_vars_along(with_database: Machine) -> None:
    assert with_database.run("addons:destroy", "DATABASE", "--confirm", "blog") == 1
    assert with_database.run("addons:destroy", "DATABASE", "--confirm", "shop") == 0, with_database.err
    state = with_database.ledger().state("shop")
    assert state is not None and state.config == {} and state.app.attachments == ()
    assert with_database.ledger().addons() == ()
    assert with_database.run("addons") == 0
    assert with_database.out == "No add-ons for app shop.\n"


def test_destroying_an_app_destroys_its_add_ons(with_database: Machine) -> None:
    assert with_database.run("destroy", "-a", "shop", "-c", "shop") == 0, with_database.err
    assert with_database.ledger().addons() == ()
    assert [r["do"] for call, r in with_database.host.asked if call == "postgres"][-1] == "drop"


def test_an_unknown_service_is_told_what_there_is(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run("addons:create", "heroku-postgres") == 1
    assert "heroku-postgresql" in sandbox.err
    assert sandbox.run("addons:plans", "nothing") == 1


def test_plans_are_listed_with_their_limits(machine: Machine, golden: Golden) -> None:
    golden("commands/addons.plans.txt", machine.shown("addons:plans", "heroku-postgresql"))
