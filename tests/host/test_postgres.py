"""Databases and roles on a real PostgreSQL with the settings that hosts get."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import certificates, postgres_sql
from deployer.host.postgres import create_database, describe_database, drop_database
from deployer.host.postgres_sql import Server
from tests.host.postgresql_here import Here, running

pytestmark = pytest.mark.edge
PASSWORD = "0123456789abcdef" * 3
ODD = "it's \\ a \"pass\" $1 :'word'"


@pytest.fixture(scope="module")
def here() -> Iterator[Here]:
    with running() as server:
        yield server


@pytest.fixture
def shop(here: Here) -> Iterator[str]:
    """A database `ushop` with its role, and PASSWORD."""
    create_database(here.server, "ushop", PASSWORD, 3)
    yield here.url("ushop", PASSWORD)
    drop_database(here.server, "ushop")


@pytest.fixture
def blog(here: Here) -> Iterator[str]:
    create_database(here.server, "ublog", PASSWORD, 3)
    yield here.url("ublog", PASSWORD)
    drop_database(here.server, "ublog")


def test_a_role_works_in_its_own_database_over_verified_tls(here: Here, shop: str) -> None:
    done = here.client(
        shop,
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (7)",
        "SELECT a FROM t",
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    )
    assert (done.stdout.split(), done.stderr) == (["7", "t"], "")


def test_trusted_extensions_can_be_created_by_the_role(here: Here, shop: str) -> None:
    done = here.client(shop, "CREATE EXTENSION citext", "CREATE EXTENSION pg_trgm", "SELECT 'A'::citext = 'a'::citext")
    assert done.stdout.strip() == "t", done.stderr


def test_a_connection_without_tls_is_refused(here: Here, shop: str) -> None:
    done = here.client(here.url("ushop", PASSWORD, mode="disable"), "SELECT 1")
    assert done.returncode == 2
    assert "no encryption" in done.stderr


def test_a_wrong_password_is_refused(here: Here, shop: str) -> None:
    done = here.client(here.url("ushop", "0" * 48), "SELECT 1")
    assert "password authentication failed" in done.stderr


def test_a_client_that_trusts_another_authority_refuses_the_server(here: Here, shop: str, tmp_path: Path) -> None:
    certificates.ensure_authority(tmp_path)
    url = here.url("ushop", PASSWORD).replace(str(here.ca), str(tmp_path / "ca.crt"))
    assert "certificate verify failed" in here.client(url, "SELECT 1").stderr


def test_the_name_localhost_is_verified_too(here: Here, shop: str) -> None:
    assert here.client(here.url("ushop", PASSWORD, host="localhost"), "SELECT 1").stdout == "1\n"


def test_a_role_cannot_enter_another_apps_database(here: Here, shop: str, blog: str) -> None:
    assert here.client(blog, "CREATE TABLE secret (a int)").returncode == 0
    done = here.client(here.url("ushop", PASSWORD, database="ublog"), "SELECT * FROM secret")
    assert done.returncode == 2
    assert "no pg_hba.conf entry" in done.stderr


def test_a_role_is_kept_out_even_without_the_servers_host_rules(here: Here, shop: str, blog: str) -> None:
    """The second wall: CONNECT is the owner's alone."""
    sql = "SELECT json_build_object('may', has_database_privilege('ushop', 'ublog', 'CONNECT'));"
    assert postgres_sql.ask(here.server, sql, {}) == {"may": False}


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_a_role_cannot_enter_the_servers_own_databases(here: Here, shop: str, database: str) -> None:
    assert here.client(here.url("ushop", PASSWORD, database=database), "SELECT 1").returncode == 2


def test_a_role_can_neither_read_files_nor_make_roles_or_databases(here: Here, shop: str) -> None:
    for statement in (
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE x",
        "CREATE DATABASE x",
        "COPY (SELECT 1) TO PROGRAM 'id'",
    ):
        said = here.client(shop, statement).stderr
        assert "permission denied" in said or "must be superuser" in said, statement


def test_the_superuser_cannot_come_over_the_network(here: Here) -> None:
    done = here.client(here.url("postgres", PASSWORD), "SELECT 1")
    assert "pg_hba.conf rejects connection" in done.stderr


def test_connections_beyond_the_plans_limit_are_refused(here: Here, shop: str) -> None:
    words = [f"{here.server.programs}/psql", "-X", "-q", shop]
    held = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for process in held:
            assert process.stdin and process.stdout
            process.stdin.write("\\echo in\n")
            process.stdin.flush()
            assert process.stdout.readline() == "in\n"
        assert "too many connections for role" in here.client(shop, "SELECT 1").stderr
        assert describe_database(here.server, "ushop") | {"size": 0, "version": ""} == {
            "version": "",
            "size": 0,
            "tables": 0,
            "connections": 3,
            "limit": 3,
        }
    finally:
        for process in held:
            process.communicate(timeout=10)


def test_creating_twice_keeps_the_data_and_sets_the_password_again(here: Here, shop: str) -> None:
    here.client(shop, "CREATE TABLE kept (a int)")
    create_database(here.server, "ushop", ODD, 5)
    assert "password authentication failed" in here.client(shop, "SELECT 1").stderr
    done = here.client(
        here.url("ushop", "it%27s%20%5C%20a%20%22pass%22%20%241%20%3A%27word%27"), "SELECT count(*) FROM kept"
    )
    assert done.stdout == "0\n", done.stderr
    assert describe_database(here.server, "ushop")["limit"] == 5


def test_dropping_ends_connections_and_can_be_repeated(here: Here) -> None:
    create_database(here.server, "ugone", PASSWORD, 3)
    words = [f"{here.server.programs}/psql", "-X", "-q", here.url("ugone", PASSWORD)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as held:
        assert held.stdin and held.stdout
        held.stdin.write("\\echo in\n")
        held.stdin.flush()
        assert held.stdout.readline() == "in\n"
        drop_database(here.server, "ugone")
        assert "terminating connection" in held.communicate("SELECT 1;\n", timeout=10)[1]
    drop_database(here.server, "ugone")
    with pytest.raises(HostFailure) as raised:
        describe_database(here.server, "ugone")
    assert (raised.value.code, raised.value.details) == ("postgres-no-database", {"name": "ugone"})


def test_info_is_not_led_astray_by_what_an_owner_sets(here: Here, shop: str) -> None:
    """The superuser enters the app's database: none of the app's functions may run as the superuser."""
    evil = "CREATE FUNCTION evil.count(int) RETURNS bigint LANGUAGE sql AS $$ SELECT 666::bigint $$"
    setting = "ALTER DATABASE ushop SET search_path = evil, pg_catalog"
    view = "CREATE TABLE evil.pg_class AS SELECT 2200::oid AS relnamespace, 'r'::\"char\" AS relkind"
    assert here.client(shop, "CREATE SCHEMA evil", evil, view, setting).returncode == 0
    assert describe_database(here.server, "ushop")["tables"] == 1


def test_neither_password_nor_verifier_is_logged_even_where_a_statement_fails(here: Here) -> None:
    script = "ALTER ROLE :\"name\" PASSWORD :'verifier';"
    with pytest.raises(HostFailure) as raised:
        postgres_sql.run(here.server, script, {"name": "unobody", "verifier": "hunter2"})
    assert raised.value.code == "postgres-refused"
    assert 'role "unobody" does not exist' in raised.value.details["said"]
    log = (here.folder / "log").read_text()
    assert 'role "unobody" does not exist' in log
    assert "hunter2" not in log + raised.value.details["said"]


@pytest.mark.parametrize(
    "name", ["", "postgres", "pg_x", "template1", "a b", 'a"b', "a'; DROP ROLE x; --", "A", "é", None, 7]
)
def test_names_that_we_never_choose_are_refused(here: Here, name: object) -> None:
    with pytest.raises(HostFailure, match="bad-request"):
        create_database(here.server, name, PASSWORD, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["plain", ODD, "`id`", "\\", "'", "\\'", ":x", "ü€"])
def test_values_reach_the_server_byte_for_byte(here: Here, value: str) -> None:
    assert postgres_sql.ask(here.server, "SELECT json_build_object('v', :'v');", {"v": value}) == {"v": value}


def test_a_server_that_is_down_has_its_own_error(here: Here) -> None:
    nobody = Server(here.server.programs, "/nowhere", here.server.port)
    with pytest.raises(HostFailure, match="postgres-down"):
        create_database(nobody, "ushop", PASSWORD, 3)


def test_a_full_disk_has_its_own_error_and_needs_no_repair() -> None:
    with running(disk="100m") as small:
        filler = small.folder / "filler"
        with filler.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        with pytest.raises(HostFailure) as raised:
            create_database(small.server, "ushop", PASSWORD, 3)
        assert raised.value.code == "postgres-disk-full", raised.value.details
        filler.unlink()
        create_database(small.server, "ushop", PASSWORD, 3)
        assert small.client(small.url("ushop", PASSWORD), "SELECT 1").stdout == "1\n"
