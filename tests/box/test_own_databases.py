"""Own databases in AWS: made while nobody waits, a release when they are there, and named before they go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.box.box import Box
from tests.box.own_databases import QUICK, STANDARD, Capture, at_home, made, reads, writes
from tests.box.person import Person

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with at_home(here, tmp_path_factory.mktemp("ada")) as person:
        here.rds.slow = None
        yield person


def test_it_is_shown_asked_about_and_not_waited_for(ada: Person) -> None:
    ada.types("addons:create", STANDARD, "--name", "main", status=1)
    assert "main (RDS): db.t4g.medium" in ada.err and "--yes" in ada.err
    assert made(ada) == {}
    began = ada.types("addons:create", STANDARD, "--name", "main", "--yes")
    assert "Created main, which is being provisioned" in began
    assert "The database should be available in 5 to 10 minutes" in ada.err
    assert made(ada) == {"main": "provisioning"}
    assert not ada.types("config:get", "DATABASE_URL").strip()
    assert "Status:" in ada.types("pg:info") and "Creating" in ada.out
    ada.types("pg:psql", "main", "-c", "SELECT 1", status=1)
    assert "pg:wait" in ada.err


def test_whoever_waits_gets_a_release(ada: Person, here: Box, capfd: Capture) -> None:
    (main,) = [one for one in here.rds.servers if one.startswith("deployerdb-")]
    here.rds.ready_in(QUICK, main)
    assert "Created main as DATABASE_URL, HEROKU_POSTGRESQL_" in ada.types("pg:wait")
    here.rds.slow = QUICK
    assert "@deployerdb-production-" in ada.types("config:get", "DATABASE_URL")
    assert "Attach DATABASE (@ref:main)" in ada.types("releases")
    writes(ada, "first")
    assert reads(ada, capfd) == ["first"]
    info = ada.types("pg:info", "DATABASE")
    assert "Standard-0" in info and "Available" in info and "/120" in info
    assert "Fork/Follow:" in info and "earliest from 20" in info and "On" in info
    assert "Nothing changed" in (ada.types("up", "--space", "production", "--yes"), ada.err)[1]
    assert len(here.rds.servers) == 2


def test_down_names_those_that_are_left(ada: Person) -> None:
    ada.types("down", "production", status=2)
    assert "These databases go with it: the space's own (20 GB), main (64 GB)." in ada.err
