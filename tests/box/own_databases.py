"""An app whose databases are RDS instances of its own, in the box: what tests of them share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.box.box import Box
from tests.box.person import Person, at_work

Capture = pytest.CaptureFixture[str]
SHARED = 'database = { size = "db.t4g.micro" }'
STANDARD = "heroku-postgresql:standard-0"
QUICK = 3.0  # seconds that RDS takes to make one


@contextmanager
def at_home(here: Box, folder: Path) -> Iterator[Person]:
    """Somebody with an app, in a space with a database that apps share; at the end nothing of it is left."""
    before = here.cloud.there()
    here.rds.archives = True
    with at_work(here, folder, "shop", "python_flask_worker") as person:
        person.describes(more=SHARED)
        person.brings_up()
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
