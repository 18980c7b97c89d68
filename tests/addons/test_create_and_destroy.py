"""Creating and destroying add-ons, whole and cut off at every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from deployer.addons.postgresql import PLANS, Postgresql
from deployer.addons.provider import Managed, Place
from deployer.errors.addons import (
    AddonAmbiguous,
    AddonNameTaken,
    AddonUnknown,
    AttachmentTaken,
    BadAttachmentName,
    PlanUnknown,
    ServiceUnknown,
)
from deployer.errors.own_databases import PlanElsewhere
from deployer.errors.rds import RdsFull
from deployer.errors.remote import ConnectionLost
from deployer.model.addon import Addon
from deployer.model.events import Changed, Done, Event
from deployer.operations import addons
from deployer.operations.release import change_config
from tests.addons.hosts_in_memory import FakeHost, SpaceInMemory, space_of

PG = "heroku-postgresql:hobby-dev"


def silent(event: Event) -> None:
    """Hear nothing."""


@pytest.fixture
def space() -> SpaceInMemory:
    made = space_of()
    made.ledger.create_app("shop", space="sandbox")
    return made


def config_of(space: SpaceInMemory, app: str = "shop") -> dict[str, str]:
    state = space.ledger.state(app)
    assert state is not None
    return state.config


def host(space: SpaceInMemory, n: int = 0) -> Any:
    found: object = space.sessions[n]
    assert isinstance(found, FakeHost)
    return found


def cut_off(space: SpaceInMemory, call: str, do: str | None = None) -> None:
    """The connection to the first host is lost at this call, once."""

    def before(asked: str, request: Mapping[str, Any]) -> None:
        if asked == call and request.get("do") == do:
            host(space).before = lambda call, request: None
            raise ConnectionLost("host-1", call, "")

    host(space).before = before


def test_the_first_database_is_attached_as_database_and_under_a_colour_in_one_release(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    first, colour = created.attachments
    assert (first, colour.startswith("HEROKU_POSTGRESQL_")) == ("DATABASE", True)
    name, password = created.addon.facts["name"], created.addon.facts["password"]
    url = f"postgresql://{name}:{password}@10.0.0.1:5432/{name}?sslmode=verify-full&sslrootcert=/etc/ssl/deployer/space-ca.pem"
    assert config_of(space) == {"DATABASE_URL": url, f"{colour}_URL": url}
    assert (created.release.number, created.release.description) == (2, f"Attach DATABASE (@ref:{created.addon.name})")
    assert host(space).databases == {name: password}


def test_every_host_is_allowed_in_and_trusts_the_server(space: SpaceInMemory) -> None:
    addons.create(space, "shop", PG, silent)
    ensure = next(request for call, request in host(space).calls if request.get("do") == "ensure")
    assert ensure["address"] == "10.0.0.1"
    assert ensure["names"] == ["192.168.7.1", "host-1"]
    assert ensure["hosts"] == ["10.0.0.1", "10.0.0.2"]
    assert [host(space, n).trusted for n in (0, 1)] == ["CA", "CA"]
    assert not host(space, 1).databases


def test_what_changes_on_hosts_and_the_price_are_told(space: SpaceInMemory) -> None:
    told: list[Event] = []
    addons.create(space, "shop", PG, told.append)
    assert Changed("host-1", "PostgreSQL 17 cluster") in told
    assert Done("free") in told


def test_a_second_database_gets_a_colour_only(space: SpaceInMemory) -> None:
    one = addons.create(space, "shop", PG, silent)
    two = addons.create(space, "shop", PG, silent)
    assert len(two.attachments) == 1
    assert two.attachments[0] not in one.attachments
    assert config_of(space)["DATABASE_URL"] == one.addon.config["URL"]
    assert len(host(space).databases) == 2


def test_a_database_url_of_the_users_own_stays(space: SpaceInMemory) -> None:
    change_config(space, "shop", {"DATABASE_URL": "postgres://elsewhere/db"}, silent)
    created = addons.create(space, "shop", PG, silent)
    assert created.attachments[0].startswith("HEROKU_POSTGRESQL_")
    assert config_of(space)["DATABASE_URL"] == "postgres://elsewhere/db"


def test_a_name_and_an_alias_of_ones_own(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent, name="shop-reports", alias="reports")
    assert (created.addon.name, created.attachments) == ("shop-reports", ("REPORTS",))
    assert set(config_of(space)) == {"REPORTS_URL"}


def test_names_that_are_taken_or_none_are_refused_before_anything_exists(space: SpaceInMemory) -> None:
    change_config(space, "shop", {"REPORTS_URL": "x"}, silent)
    with pytest.raises(AttachmentTaken):
        addons.create(space, "shop", PG, silent, alias="reports")
    with pytest.raises(BadAttachmentName):
        addons.create(space, "shop", PG, silent, alias="my-reports")
    assert space.ledger.addons() == ()
    addons.create(space, "shop", PG, silent, name="mine")
    with pytest.raises(AddonNameTaken):
        addons.create(space, "shop", PG, silent, name="mine")
    assert len(host(space).databases) == 1


def test_an_unknown_service_or_plan_says_what_there_is(space: SpaceInMemory) -> None:
    with pytest.raises(ServiceUnknown, match="Perhaps you meant heroku-postgresql"):
        addons.create(space, "shop", "heroku-postgressql", silent)
    with pytest.raises(PlanElsewhere, match="Plans that work in sandbox: essential-0, essential-1, essential-2"):
        addons.create(space, "shop", "heroku-postgresql:standard-0", silent)
    with pytest.raises(PlanUnknown, match="essential-2, standard-0, standard-2, standard-3, mini, hobby-dev"):
        addons.create(space, "shop", "heroku-postgresql:premium-9", silent)


@pytest.mark.parametrize(
    ("call", "do"), [("postgres", "ensure"), ("postgres", "trust"), ("postgres", "create"), ("stage", None)]
)
def test_a_creation_that_was_cut_off_is_finished_by_the_next(space: SpaceInMemory, call: str, do: str | None) -> None:
    cut_off(space, call, do)
    with pytest.raises(ConnectionLost):
        addons.create(space, "shop", PG, silent)
    assert "DATABASE_URL" not in config_of(space)
    begun = space.ledger.addons("shop")[0].name
    assert not addons.has(space, "shop", "postgresql")
    created = addons.create(space, "shop", "heroku-postgresql:essential-2", silent)
    assert (created.addon.name, created.addon.plan) == (begun, "essential-2")
    assert [addon.state for addon in space.ledger.addons()] == ["provisioned"]
    assert host(space).databases == {created.addon.facts["name"]: created.addon.facts["password"]}
    assert config_of(space)["DATABASE_URL"] == created.addon.config["URL"]
    assert addons.has(space, "shop", "postgresql")


def test_a_creation_cut_off_after_its_release_is_finished_without_another_one(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    app = space.ledger.app("shop")
    assert app is not None
    space.ledger.save_app(replace(app, attachments=()))
    again = addons.create(space, "shop", PG, silent)
    assert (again.addon.name, again.attachments, again.release) == (
        created.addon.name,
        created.attachments,
        created.release,
    )
    assert [owned.attachments for owned in addons.owned(space, "shop")] == [created.attachments]


def test_destroying_detaches_in_one_release_and_drops_the_data(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    change_config(space, "shop", {"MINE": "1"}, silent)
    release = addons.destroy(space, "shop", "DATABASE", silent)
    assert release.description == f"Detach DATABASE (@ref:{created.addon.name})"
    assert config_of(space) == {"MINE": "1"}
    assert (space.ledger.addons(), host(space).databases, addons.owned(space, "shop")) == ((), {}, [])


@pytest.mark.parametrize(("call", "do"), [("stage", None), ("postgres", "drop")])
def test_a_destruction_that_was_cut_off_is_finished_by_the_next(
    space: SpaceInMemory, call: str, do: str | None
) -> None:
    created = addons.create(space, "shop", PG, silent)
    cut_off(space, call, do)
    with pytest.raises(ConnectionLost):
        addons.destroy(space, "shop", created.addon.name, silent)
    addons.destroy(space, "shop", created.addon.name, silent)
    assert (space.ledger.addons(), host(space).databases, config_of(space)) == ((), {}, {})


def test_what_is_being_destroyed_is_not_taken_for_a_creation_that_was_cut_off(space: SpaceInMemory) -> None:
    old = addons.create(space, "shop", PG, silent)
    cut_off(space, "postgres", "drop")
    with pytest.raises(ConnectionLost):
        addons.destroy(space, "shop", old.addon.name, silent)
    new = addons.create(space, "shop", PG, silent)
    assert new.addon.name != old.addon.name
    assert new.attachments[0] == "DATABASE"


def test_an_addon_is_found_by_its_name_its_attachments_and_its_service(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    for name in (
        created.addon.name,
        "DATABASE",
        "database_url",
        created.attachments[1],
        "heroku-postgresql",
        "postgresql",
    ):
        assert addons.find_addon(space, "shop", name).addon == created.addon, name
    with pytest.raises(AddonUnknown, match=f"It has: {created.addon.name}"):
        addons.find_addon(space, "shop", "redis")
    addons.create(space, "shop", PG, silent)
    with pytest.raises(AddonAmbiguous):
        addons.find_addon(space, "shop", "postgresql")


def test_another_apps_addon_is_not_found(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    space.ledger.create_app("blog", space="sandbox")
    with pytest.raises(AddonUnknown):
        addons.destroy(space, "blog", created.addon.name, silent)
    assert host(space).databases


def test_attached_vars_are_those_that_addons_give(space: SpaceInMemory) -> None:
    created = addons.create(space, "shop", PG, silent)
    change_config(space, "shop", {"MINE": "1"}, silent)
    app = space.ledger.app("shop")
    assert app is not None
    given = addons.attached_vars(app, space.ledger.addons("shop"))
    assert given == {f"{name}_URL": created.addon.config["URL"] for name in created.attachments}


def test_on_a_managed_server_all_hosts_trust_it_and_any_of_them_makes_the_database(space: SpaceInMemory) -> None:
    managed = Managed("a.example", 5432, "deployer", "secret", "CA OF RDS")
    addon = Addon("db", "heroku-postgresql", "mini", "shop", "2026", "provisioning", facts=Postgresql().draft())
    name, password = addon.facts["name"], addon.facts["password"]
    place = Place(space.first, managed)
    config = Postgresql().provision(place, space.sessions, addon, PLANS[0], silent)
    assert config["URL"].startswith(f"postgresql://{name}:{password}@a.example:5432/{name}?sslmode=verify-full")
    assert [host(space, n).trusted for n in (0, 1)] == ["CA OF RDS"] * 2
    assert host(space).databases == {name: password}
    Postgresql().info(place, addon)
    Postgresql().deprovision(place, addon)
    told = [request["server"] for call, request in host(space).calls if request.get("do") in ("create", "info", "drop")]
    assert told == [{"address": "a.example", "port": 5432, "user": "deployer", "password": "secret"}] * 3
    assert "secret" not in repr(managed)


def test_what_the_server_has_no_connections_for_leaves_nothing(space: SpaceInMemory) -> None:
    def before(call: str, request: Mapping[str, Any]) -> None:
        if request.get("do") == "create":
            raise RdsFull("host-1", "a.example", 20, 76, 60)

    host(space).before = before
    with pytest.raises(RdsFull):
        addons.create(space, "shop", PG, silent)
    assert not space.ledger.addons() and not config_of(space)
