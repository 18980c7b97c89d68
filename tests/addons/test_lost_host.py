"""Databases on a host that is lost, or no longer the first one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from deployer.errors.addons import DatabaseHostLost
from deployer.errors.hosts import HostHasDatabases
from deployer.errors.remote import HostUnreachable
from deployer.model.events import Event, Warn
from deployer.model.space import Host
from deployer.operations import addons, hosts, pg
from deployer.operations.database_hosts import host_for_new, trust_databases
from deployer.remote.agent import Session
from tests.addons.hosts_in_memory import SpaceInMemory, space_of

PG = "heroku-postgresql:essential-0"


@pytest.fixture
def space() -> SpaceInMemory:
    """`shop` with a database on host-1; host-2 is the first one now."""
    made = space_of(3)
    made.ledger.create_app("shop", space="sandbox")
    addons.create(made, "shop", PG, lambda event: None)
    made._first = made.session_of("host-2")
    return made


def lose(space: SpaceInMemory, name: str) -> None:
    """It does not answer any more, and is left out."""
    reach = space.connect

    def connect(host: Host) -> Session:
        if host.id == name:
            raise HostUnreachable(name, host.address, 22, "No route to host")
        return reach(host)

    space.connect = connect
    space._open.pop(name)
    host = next(host for host in space.hosts if host.id == name)
    space.ledger.save_host(replace(host, out=1))
    space.dial()


def fake(space: SpaceInMemory, name: str) -> Any:
    return space.session_of(name)


def test_a_database_stays_on_its_host_when_another_one_becomes_the_first(space: SpaceInMemory) -> None:
    (info,) = pg.info(space, "shop")
    assert info.status == "Available"
    assert host_for_new(space).host.id == "host-1"
    name = addons.owned(space, "shop")[0].addon.name
    addons.destroy(space, "shop", name, lambda event: None)
    assert fake(space, "host-1").databases == {}


def test_a_database_whose_host_is_lost_is_away(space: SpaceInMemory) -> None:
    lose(space, "host-1")
    (info,) = pg.info(space, "shop")
    assert (info.status, info.size) == ("Its host is lost: host-1", None)
    terminal: Any = SimpleNamespace(tty=False, columns=80, rows=24, term="dumb")
    with pytest.raises(DatabaseHostLost, match="its host is lost"):
        pg.psql(space, "shop", None, pg.Psql(), terminal)


def test_a_new_one_is_made_on_the_first_host_where_the_others_are_lost(space: SpaceInMemory) -> None:
    lose(space, "host-1")
    told: list[Event] = []
    name = addons.owned(space, "shop")[0].addon.name
    addons.destroy(space, "shop", name, told.append)
    words = f"{name} lived on host-1, which is lost: its data stays there, should it return"
    assert words in [event.text for event in told if isinstance(event, Warn)]
    made = addons.create(space, "shop", PG, told.append)
    assert "@10.0.0.2:" in made.addon.config["URL"]
    assert len(fake(space, "host-2").databases) == 1


def test_every_server_lets_in_a_host_that_returns(space: SpaceInMemory) -> None:
    trust_databases(space, space.sessions, lambda event: None)
    ensured = [request for _, request in fake(space, "host-1").calls if request.get("do") == "ensure"]
    assert ensured[-1]["hosts"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert not [request for _, request in fake(space, "host-2").calls if request.get("do") == "ensure"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_host_with_databases_is_not_removed(space: SpaceInMemory, lost: bool) -> None:
    if lost:
        lose(space, "host-1")
    sandbox: Any = SimpleNamespace(hosts=())  # which is not touched
    with pytest.raises(HostHasDatabases, match="of ⬢ shop"):
        hosts.remove(space, sandbox, "host-1", lambda event: None)
