"""Own databases in AWS are filled from others, from an earlier moment and from snapshots, and go again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box.box import Box
from tests.box.own_databases import QUICK, SHARED, STANDARD, Capture, at_home, made, reads, writes
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with at_home(here, tmp_path_factory.mktemp("ada")) as person:
        here.rds.slow = QUICK
        person.types("addons:create", STANDARD, "--name", "main", "--yes", "--wait")
        writes(person, "first")
        yield person


def test_a_fork_and_one_of_an_earlier_moment(ada: Person, here: Box, capfd: Capture) -> None:
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(2.1)
    writes(ada, "second")
    ada.types("addons:create", STANDARD, "--rollback", "DATABASE", "--to", "2020-01-01T00:00:00Z", "--yes", status=1)
    assert "main cannot be brought back to 2020-01-01T00:00:00Z" in ada.err
    ada.types("addons:create", STANDARD, "--rollback", "DATABASE", "--to", "yesterday", status=2)
    ada.types("addons:create", STANDARD, "--name", "now", "--as", "NOW", "--fork", "DATABASE", "--yes", "--wait")
    assert reads(ada, capfd, "NOW") == ["first", "second"]
    words = ("--rollback", "DATABASE", "--to", moment)
    ada.types("addons:create", STANDARD, "--name", "then", "--as", "THEN", *words, "--yes")
    ada.types("pg:wait", "then")
    assert reads(ada, capfd, "THEN") == ["first"]
    ada.types("pg:promote", "THEN")
    assert ada.types("config:get", "DATABASE_URL") == ada.types("config:get", "THEN_URL")
    assert reads(ada, capfd) == ["first"]


def test_of_a_shared_instance_only_the_apps_own_comes_along(ada: Person, here: Box, capfd: Capture) -> None:
    ada.types("addons:create", "heroku-postgresql:essential-0", "--name", "small", "--as", "SMALL")
    ada.types("addons:create", "heroku-postgresql:essential-0", "--name", "other", "--as", "OTHER")
    writes(ada, "little", "SMALL")
    ada.types("addons:create", STANDARD, "--name", "grown", "--as", "GROWN", "--fork", "SMALL", "--yes", "--wait")
    assert reads(ada, capfd, "GROWN") == ["little"]
    [server] = [one for one in here.rds.servers.values() if one.name in ada.types("config:get", "GROWN_URL")]
    found = server.run("SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles", {}).split()
    assert len([one for one in found if one.startswith("u")]) == 2


def test_destroyed_it_leaves_a_snapshot_that_fills_another(ada: Person, here: Box, capfd: Capture) -> None:
    ada.types("addons:destroy", "main", status=2)
    assert "A last snapshot of it stays" in ada.err and "- RDS for PostgreSQL deployerdb-production-" in ada.err
    ada.types("addons:destroy", "main", "--confirm", "shop")
    assert "main" not in made(ada)
    found = [one for one in json.loads(ada.types("pg:snapshots", "--json")) if one["addon"] == "main"]
    [name] = [one["name"] for one in found if not one["is_automatic"]]
    ada.types("addons:create", STANDARD, "--name", "back", "--as", "BACK", "--snapshot", name, "--yes", "--wait")
    assert reads(ada, capfd, "BACK") == ["first", "second"]
    ada.types("apps:destroy", "--confirm", "shop", status=1)
    assert "deployer addons:destroy back -a shop" in ada.err
    for one in ("back", "grown", "now"):
        ada.types("addons:destroy", one, "--confirm", "shop", "--delete-data")
    assert len(here.rds.servers) == 2


def test_up_makes_what_app_json_names_with_the_space(here: Box, ada: Person, tmp_path: Path) -> None:
    """Of another app, on another machine, where it has been asked about; and once."""
    with at_work(here, tmp_path, "till", "python_flask_worker") as bob:
        bob.describes(more=SHARED)
        (bob.folder / "app.json").write_text(json.dumps({"addons": [STANDARD]}))
        bob.types("up", "--space", "production", "--yes")
        assert "1 made." in bob.err and "(RDS): db.t4g.medium" in bob.err
        [(name, state)] = made(bob).items()
        assert state == "provisioned" and "@deployerdb-" in bob.types("config:get", "DATABASE_URL")
        bob.types("up", "--space", "production", "--yes")
        assert "Nothing to do: production" in bob.err and list(made(bob)) == [name]
        bob.types("addons:destroy", name, "--confirm", "till", "--delete-data")


def test_down_names_those_that_are_left(ada: Person) -> None:
    ada.types("down", "production", status=2)
    assert "These databases go with it: the space's own (20 GB), then (64 GB)." in ada.err
