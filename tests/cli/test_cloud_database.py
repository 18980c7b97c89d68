"""A database that deployer.toml no longer has: it goes when somebody says so by name, and a last snapshot stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cloud import SPACE, Laptop, at_work
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.gate import Says

pytestmark = pytest.mark.edge
WITHOUT = "\n".join(line for line in SPACE.splitlines() if not line.startswith("database"))
BUSY = Says(400, "InvalidDBInstanceState", "Instance deployer-production is currently creating a snapshot")
CONFIRMED = ("up", "--space", "production", "--confirm", "production")


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        yield one


def databases(here: Cloud) -> list[Any]:
    found: list[Any] = here.client("rds").describe_db_instances()["DBInstances"]
    return found


def snapshots(here: Cloud) -> list[Any]:
    """Those that somebody asked for; AWS makes others by itself."""
    found: list[Any] = here.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return found


def test_it_goes_when_its_space_is_named_and_a_last_snapshot_stays(laptop: Laptop) -> None:
    here = laptop.here
    laptop.says()
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    laptop.says(WITHOUT)

    assert laptop.run("up", "--space", "production", "--yes") == 2
    assert "The database is deleted, with all that apps keep in it. A last snapshot of it stays." in laptop.err
    assert "This will delete the database of production." in laptop.err
    assert "--confirm production" in laptop.err
    laptop.answer = "yes"
    assert laptop.run("up", "--space", "production", "--yes") == 1
    assert [one["DeletionProtection"] for one in databases(here)] == [True]
    laptop.answer = None

    here.gate.refuse("rds", "DeleteDBInstance", BUSY)
    assert laptop.run(*CONFIRMED) == 1
    assert [one["DeletionProtection"] for one in databases(here)] == [False]
    here.gate.open()
    assert laptop.run(*CONFIRMED) == 0, laptop.err
    assert "database: RDS for PostgreSQL deployer-production deleted" in laptop.err
    assert (databases(here), len(snapshots(here))) == ([], 1)
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    assert "Nothing to do" in laptop.err
