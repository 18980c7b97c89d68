"""Own databases in AWS: made while nobody waits, filled from others and from snapshots, and gone again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.box.box import Box
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(900)]
Capture = pytest.CaptureFixture[str]
SHARED = 'database = { size = "db.t4g.micro" }'
STANDARD = "heroku-postgresql:standard-0"
SLOW, QUICK = 25.0, 3.0  # seconds that RDS takes to make one: longer than a command on a busy machine, and not


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with an app, in a space with a database that apps share."""
    before = here.cloud.there()
    here.rds.archives = True
    with at_work(here, tmp_path_factory.mktemp("ada"), "shop", "python_flask_worker") as person:
        person.describes(more=SHARED)
        person.brings_up()
        here.rds.slow = SLOW
        yield person
        here.rds.slow, here.rds.archives = 0.0, False
        person.types("down", "production", "--confirm", "production", "--delete-data")
        assert not here.rds.servers
        for one in here.cloud.client("rds").describe_db_snapshots()["DBSnapshots"]:
            here.cloud.client("rds").delete_db_snapshot(DBSnapshotIdentifier=one["DBSnapshotIdentifier"])
        assert here.cloud.there() == before


def writes(ada: Person, what: str, database: str = "DATABASE") -> None:
    sql = f"CREATE TABLE IF NOT EXISTS notes (text text); INSERT INTO notes VALUES ('{what}')"
    ada.types("pg:psql", database, "-c", sql)


def reads(ada: Person, capfd: Capture, database: str = "DATABASE") -> list[str]:
    capfd.readouterr()
    ada.types("pg:psql", database, "-c", "COPY (SELECT text FROM notes ORDER BY text) TO STDOUT")
    return capfd.readouterr().out.split()


def made(ada: Person) -> dict[str, str]:
    """The app's databases, by name, and what becomes of each."""
    return {one["name"]: one["state"] for one in json.loads(ada.types("addons", "--json"))}


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
