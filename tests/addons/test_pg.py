"""Which database a word means, and what is told about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deployer.errors.addons import AlreadyPrimary, DatabaseGone, DatabaseUnfinished, DatabaseUnknown, NoDatabase
from deployer.errors.apps import AppNotFound
from deployer.errors.remote import ConnectionLost
from deployer.model.app import Attachment
from deployer.operations import addons, pg
from tests.addons.hosts_in_memory import SpaceInMemory, space_of
from tests.addons.test_create_and_destroy import cut_off, host, silent

PG = "heroku-postgresql"


@pytest.fixture
def space() -> SpaceInMemory:
    """`shop` with a primary database and another one as REPORTS; `blog` without any."""
    made = space_of(1)
    made.ledger.create_app("shop", space="sandbox")
    made.ledger.create_app("blog", space="sandbox")
    addons.create(made, "shop", f"{PG}:mini", silent, name="primary-db")
    addons.create(made, "shop", f"{PG}:essential-2", silent, name="a-reports-db", alias="REPORTS")
    return made


def test_the_primary_database_stands_first(space: SpaceInMemory) -> None:
    assert [database.addon.name for database in pg.databases(space, "shop")] == ["primary-db", "a-reports-db"]


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        (None, "primary-db"),
        ("DATABASE_URL", "primary-db"),
        ("DATABASE", "primary-db"),
        ("database", "primary-db"),
        ("primary-db", "primary-db"),
        ("REPORTS_URL", "a-reports-db"),
        ("reports", "a-reports-db"),
        ("a-reports-db", "a-reports-db"),
        ("shop::REPORTS", "a-reports-db"),
    ],
)
def test_a_database_is_found_by_all_its_names(space: SpaceInMemory, argument: str | None, found: str) -> None:
    assert pg.find_database(space, "shop", argument).addon.name == found


def test_a_colour_alone_or_with_its_prefix_is_enough(space: SpaceInMemory) -> None:
    _, attachment = pg.databases(space, "shop")[0].attachments
    for argument in (attachment, f"{attachment}_URL", attachment.rpartition("_")[2].lower()):
        assert pg.find_database(space, "shop", argument).addon.name == "primary-db", argument


def test_another_apps_database_is_found_with_its_name_in_front(space: SpaceInMemory) -> None:
    assert pg.find_database(space, "blog", "shop::DATABASE").app == "shop"


def test_an_unknown_name_lists_what_there_is(space: SpaceInMemory) -> None:
    with pytest.raises(DatabaseUnknown, match="REPORTS_URL, a-reports-db"):
        pg.find_database(space, "shop", "PINKISH")


def test_an_app_without_a_database_and_no_app_at_all_are_told_apart(space: SpaceInMemory) -> None:
    with pytest.raises(NoDatabase):
        pg.find_database(space, "blog", None)
    with pytest.raises(AppNotFound):
        pg.find_database(space, "nothing", None)
    assert pg.info(space, "blog") == []


def test_info_tells_what_the_server_says_and_what_the_plan_allows(space: SpaceInMemory) -> None:
    one, two = pg.info(space, "shop")
    assert (one.status, one.version, one.size, one.tables, one.connections, one.limit) == (
        "Available",
        "17.2",
        8493747,
        12,
        3,
        20,
    )
    assert one.database.config_vars[0] == "DATABASE_URL"
    assert (one.database.plan.name, two.database.plan.name) == ("mini", "essential-2")
    assert [found.database.addon.name for found in pg.info(space, "shop", "REPORTS")] == ["a-reports-db"]


def test_a_database_whose_creation_was_cut_off_says_so(space: SpaceInMemory) -> None:
    cut_off(space, "postgres", "create")
    with pytest.raises(ConnectionLost):
        addons.create(space, "shop", PG, silent, name="half")
    half = next(found for found in pg.info(space, "shop") if found.database.addon.name == "half")
    assert (half.status, half.size) == ("Provisioning", None)
    with pytest.raises(DatabaseUnfinished, match="addons:create heroku-postgresql -a shop"):
        _ = pg.find_database(space, "shop", "half").url


def test_a_database_that_the_server_does_not_know_says_so(space: SpaceInMemory) -> None:
    host(space).databases.clear()
    with pytest.raises(DatabaseGone):
        pg.info(space, "shop")


def config_and_names(space: SpaceInMemory) -> tuple[dict[str, str], set[tuple[str, str]]]:
    state, app = space.ledger.state("shop"), space.ledger.app("shop")
    assert state and app
    return dict(state.config), {(one.name, one.addon) for one in app.attachments}


def test_another_database_becomes_the_primary_one_in_one_release(space: SpaceInMemory) -> None:
    before, names = config_and_names(space)
    released = pg.promote(space, "shop", "REPORTS", silent)
    config, after = config_and_names(space)
    assert config == {**before, "DATABASE_URL": before["REPORTS_URL"]}
    assert after == {*names, ("DATABASE", "a-reports-db")} - {("DATABASE", "primary-db")}
    assert released.description == "Promote a-reports-db (@ref:a-reports-db)"
    assert pg.databases(space, "shop")[0].addon.name == "a-reports-db"
    with pytest.raises(AlreadyPrimary):
        pg.promote(space, "shop", "REPORTS", silent)


def test_one_that_was_called_nothing_else_gets_a_colour(space: SpaceInMemory) -> None:
    pg.promote(space, "shop", "REPORTS", silent)
    addons.destroy(space, "shop", "primary-db", silent)
    addons.create(space, "shop", f"{PG}:mini", silent, name="third", alias="THIRD")
    app = space.ledger.app("shop")
    assert app
    space.ledger.save_app(replace(app, attachments=tuple(one for one in app.attachments if one.name != "REPORTS")))
    old = config_and_names(space)[0]["DATABASE_URL"]
    pg.promote(space, "shop", "THIRD", silent)
    config, names = config_and_names(space)
    [colour] = [name for name, addon in names if addon == "a-reports-db"]
    assert config["DATABASE_URL"] == config["THIRD_URL"] != old == config[f"{colour}_URL"]


def test_a_promotion_that_was_cut_off_is_finished_by_the_next(space: SpaceInMemory) -> None:
    _, names = config_and_names(space)
    released = pg.promote(space, "shop", "REPORTS", silent)
    app = space.ledger.app("shop")
    assert app
    space.ledger.save_app(replace(app, attachments=tuple(Attachment(*one) for one in sorted(names))))
    assert pg.promote(space, "shop", "REPORTS", silent).number == released.number
    assert ("DATABASE", "a-reports-db") in config_and_names(space)[1]


def test_only_databases_of_the_app_are_promoted(space: SpaceInMemory) -> None:
    with pytest.raises(DatabaseUnknown):
        pg.promote(space, "shop", "PINKISH", silent)
    with pytest.raises(NoDatabase):
        pg.promote(space, "blog", "REPORTS", silent)
