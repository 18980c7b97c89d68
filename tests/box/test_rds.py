"""Databases of a space in AWS: on the PostgreSQL that RDS runs, whose master is no superuser and whose authority nobody
trusts yet."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.box.box import Box
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]
Capture = pytest.CaptureFixture[str]
JOINED = '"result":{"host"'  # as its agent says it on the console
DATABASE = 'database = { size = "db.t4g.micro" }'
POST = "from django.contrib.auth.models import User; User.objects.create(username='ada'); print(User.objects.count())"


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with an app that wants a database."""
    with at_work(here, tmp_path_factory.mktemp("ada"), "blog", "python_django") as person:
        (person.folder / "app.json").write_text(json.dumps({"addons": ["heroku-postgresql:essential-0"]}))
        yield person
        person.types("down", "production", status=2)
        assert "Backups of databases go too: 1, the newest of 20" in person.err
        person.types("down", "production", "--confirm", "production", "--delete-data")
        assert not here.rds.servers and "bucket" not in here.cloud.there()


def test_a_space_without_a_database_says_what_to_add(ada: Person) -> None:
    ada.describes()
    ada.types("up", "--space", "production", "--yes", status=1)
    assert "The space production has no PostgreSQL that a database could be made on." in ada.err
    assert DATABASE in ada.err and "a month" in ada.err
    assert ada.types("addons").startswith("No add-ons")


def test_one_line_more_and_the_app_lives_on_it(ada: Person, here: Box, capfd: Capture) -> None:
    ada.describes(more=DATABASE)
    ada.types("up", "--space", "production", "--yes")
    url = ada.types("config:get", "DATABASE_URL").strip()
    [server] = here.rds.servers.values()
    assert f"@{server.name}:5432/" in url and "sslmode=verify-full" in url
    ada.types("run", "python", "manage.py", "shell", "-c", POST)
    assert capfd.readouterr().out.split()[-1] == "1"
    info = json.loads(ada.types("pg:info", "--json"))[0]
    assert (info["status"], info["limits"]["connections"], info["tables"] > 5) == ("available", 20, True)


def test_a_backup_streams_into_the_bucket(ada: Person, here: Box, tmp_path: Path) -> None:
    """By the host's own role, which is refused what is there already; the laptop gets it by a URL, or as a file."""
    ada.types("pg:backups:capture")
    assert "DATABASE ---backup---> b001" in ada.err
    [made] = json.loads(ada.types("pg:backups", "--json"))
    assert (made["status"], made["size"] > 1000) == ("completed", True)
    with urllib.request.urlopen(ada.types("pg:backups:url").strip(), timeout=20) as answer:
        dump = answer.read()
    assert (dump[:5], len(dump)) == (b"PGDMP", made["size"])
    ada.types("pg:backups:download", "-o", "first.dump")
    assert (ada.folder / "first.dump").read_bytes() == dump
    (ada.folder / "first.dump").unlink()
    [host] = here.instances()
    assert not here.run(host.id, "ls", "/srv/deployer/backups").split().count("dumps")


def test_its_name_leads_there_from_hosts_alone(ada: Person, here: Box) -> None:
    [server] = here.rds.servers.values()
    [host] = here.instances()
    assert here.run(host.id, "getent", "hosts", server.name).split()[0] == server.address
    with pytest.raises(OSError, match="not known"):
        socket.getaddrinfo(server.name, 5432)


def test_data_survives_every_host(ada: Person, here: Box, capfd: Capture) -> None:
    """And the one that comes can verify the server before its first dyno starts, with nobody there."""
    [before] = here.instances()
    here.terminate(before.id, hard=True)
    here.wait(lambda: [one for one in here.instances() if one.id != before.id and JOINED in one.console], 120)
    ada.types("pg:psql", "-c", "SELECT username FROM auth_user")
    assert "ada" in capfd.readouterr().out.split()
    ada.types("run", "python", "manage.py", "shell", "-c", POST.replace("ada", "bob"))
    assert capfd.readouterr().out.split()[-1] == "2"


def test_a_backup_survives_its_host_and_is_restored_by_another(ada: Person, capfd: Capture) -> None:
    ada.types("pg:backups:restore", "--confirm", "blog")
    assert "b001 ---restore---> DATABASE (r001)" in ada.err
    capfd.readouterr()
    ada.types("run", "python", "manage.py", "shell", "-c", POST.replace("ada", "bob"))
    assert capfd.readouterr().out.split()[-1] == "2"  # the bob of before is gone


def test_a_schedule_is_kept_with_nobody_there(ada: Person, here: Box) -> None:
    """By one of several: the timer's unit begins it twice, and there is one."""
    ada.types("pg:backups:schedule", "DATABASE", "--at", f"{datetime.now(UTC):%H}:00")
    assert "daily at" in ada.types("pg:backups:schedules")
    s3 = here.cloud.client("s3")
    [(bucket, key)] = [
        (one["Name"], found["Key"])
        for one in s3.list_buckets()["Buckets"]
        for found in s3.list_objects_v2(Bucket=one["Name"], Prefix="schedules/").get("Contents", [])
    ]
    known = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    known["created"] = "2026-01-01T00:00:00Z"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(known).encode())
    [host] = here.instances()
    for _ in range(2):
        here.run(host.id, "systemctl", "start", "deployer-backups-v1.service")
    here.wait(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="backups/blog/b002.outcome").get("Contents"), 60)
    found = json.loads(ada.types("pg:backups", "--json"))
    assert [one["id"] for one in found if one["scheduled_at"]] == ["b002"]
    assert found[0]["status"] == "completed"
    ada.types("pg:backups:unschedule")
    ada.types("pg:backups:delete", "b002", "--confirm", "blog")
    assert "b002" not in ada.types("pg:backups")


def test_what_would_not_fit_is_refused(ada: Person) -> None:
    ada.types("addons:create", "heroku-postgresql:essential-2", "--as", "MORE", "--name", "more")
    ada.types("addons:create", "heroku-postgresql:essential-0", "--as", "LESS", status=1)
    assert "has not so many connections left: 20 are wanted" in ada.err
    assert "takes 76 for apps; the plans of its databases have 60 of them" in ada.err
    assert len(json.loads(ada.types("addons", "--json"))) == 2


def test_another_database_becomes_the_primary_one_and_the_first_is_again(ada: Person) -> None:
    first = ada.types("config:get", "DATABASE_URL")
    [name] = [one["addon"]["name"] for one in json.loads(ada.types("pg:info", "DATABASE", "--json"))]
    ada.types("pg:promote", "more")
    assert ada.types("config:get", "DATABASE_URL") == ada.types("config:get", "MORE_URL") != first
    ada.types("pg:promote", name)
    assert ada.types("config:get", "DATABASE_URL") == first
    ada.types("addons:destroy", "more", "--confirm", "blog")


def test_nobody_enters_what_is_anothers(ada: Person, here: Box) -> None:
    """Nor without TLS, nor the master's own database."""
    url = ada.types("config:get", "DATABASE_URL").strip()
    [host] = here.instances()
    for other, why in (
        (url.replace("verify-full", "disable"), "no encryption"),
        (url.replace("?", "x?"), "does not exist"),
        (url.replace(f":5432/{urlsplit(url).username}", ":5432/postgres"), "permission denied"),
    ):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            here.run(host.id, "psql", other, "-c", "SELECT 1")
        assert why in refused.value.stderr


def test_one_that_breaks_is_named_and_comes_back_with_its_data(ada: Person, here: Box, capfd: Capture) -> None:
    [server] = here.rds.servers.values()
    server.halt()
    ada.types("pg:info", status=1)
    assert "The space's PostgreSQL does not answer host i-" in ada.err and "Connection refused" in ada.err
    server.start()
    ada.types("pg:psql", "-c", "SELECT username FROM auth_user")
    assert {"ada", "bob"} < set(capfd.readouterr().out.split())


def test_its_security_group_lets_in_hosts_alone(ada: Person, here: Box) -> None:
    """This machine is in its network, and not in the group of the hosts."""
    [server] = here.rds.servers.values()
    refused = server.client("-h", server.address, "-U", "deployer", "-d", "postgres", "-c", "SELECT 1")
    assert 'no pg_hba.conf entry for host "10.' in refused.stderr


def test_an_addon_goes_with_its_data(ada: Person, here: Box) -> None:
    ada.types("addons:destroy", "DATABASE", "--confirm", "blog")
    [server] = here.rds.servers.values()
    left = server.run("SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles", {}).split()
    assert [one for one in left if one.startswith("u")] == []
    assert ada.types("config").count("postgresql://") == 0
