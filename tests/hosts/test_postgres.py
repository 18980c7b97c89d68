"""The space's PostgreSQL on real hosts: made by its agent, run by its systemd, reached through its firewall."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from deployer.errors.addons import DatabaseGone, PostgresDown
from deployer.model.events import Changed, Event
from deployer.model.space import Pointer
from deployer.operations import addons, pg, spaces
from deployer.operations.run import OneOff
from deployer.operations.session import OpenSpace, open_space
from tests.hosts.machine import Machine

pytestmark = pytest.mark.hosts

PG = "heroku-postgresql:hobby-dev"
CA = "/etc/ssl/deployer/space-ca.pem"


class Typed:
    """A terminal that somebody else has typed at; what came of it by stream."""

    columns, rows, term = 80, 24, "xterm"

    def __init__(self, data: bytes = b"", *, tty: bool = False) -> None:
        self.tty = tty
        self.heard: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self._pieces = [data] if data else []

    def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, data: bytes, stream: str) -> None:
        self.heard[stream] += data

    def on_resize(self, tell: object) -> None:
        pass


def silent(event: Event) -> None:
    """Hear nothing."""


@pytest.fixture
def opened(space: Pointer) -> Iterator[OpenSpace]:
    with open_space(space) as found:
        yield found


@pytest.fixture(scope="module")
def apps(space: Pointer) -> Iterator[tuple[str, str]]:
    """Two apps with a database each; both are gone at the end."""
    names = ("pgshop", "pgblog")
    with open_space(space) as found:
        for name in names:
            found.ledger.create_app(name, space=space.name)
            addons.create(found, name, PG, silent)
    yield names
    with open_space(space) as found:
        for name in names:
            addons.destroy(found, name, "DATABASE", silent)
            found.ledger.delete_app(name)


def url_of(opened: OpenSpace, app: str) -> str:
    return pg.find_database(opened, app, None).url


def query(opened: OpenSpace, seat: int, url: str, sql: str, uid: int = 20001) -> str:
    """What psql prints, or complains about, on a host, as an app's user behind the firewall."""
    user = f"setpriv --reuid={uid} --regid={uid} --clear-groups env HOME=/nonexistent"
    return Machine(opened.sessions[seat]).run(f"{user} psql -X -At -c \"{sql}\" '{url}' 2>&1 || true").strip()


@pytest.mark.parametrize("seat", [0, 1])
def test_an_app_reaches_its_database_over_verified_tls_from_every_host(
    opened: OpenSpace, apps: tuple[str, str], seat: int
) -> None:
    url = url_of(opened, apps[0])
    assert "sslmode=verify-full" in url
    assert query(opened, seat, url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"


def test_a_connection_without_tls_is_refused(opened: OpenSpace, apps: tuple[str, str]) -> None:
    plain = url_of(opened, apps[0]).replace("sslmode=verify-full", "sslmode=disable")
    assert "no encryption" in query(opened, 1, plain, "SELECT 1")


def test_a_client_that_trusts_another_authority_refuses_the_server(opened: OpenSpace, apps: tuple[str, str]) -> None:
    wrong = url_of(opened, apps[0]).replace(CA, "/etc/ssl/certs/ca-certificates.crt")
    assert "certificate verify failed" in query(opened, 1, wrong, "SELECT 1")


def test_apps_do_not_see_each_others_databases(opened: OpenSpace, apps: tuple[str, str]) -> None:
    shop, blog = (url_of(opened, app) for app in apps)
    assert query(opened, 1, blog, "CREATE TABLE IF NOT EXISTS secret (a int)") == "CREATE TABLE"
    other = shop.replace(f"/{urlsplit(shop).path[1:]}?", f"/{urlsplit(blog).path[1:]}?")
    assert "no pg_hba.conf entry" in query(opened, 1, other, "SELECT * FROM secret")
    assert query(opened, 1, shop, "SELECT count(*) FROM pg_tables WHERE tablename = 'secret'") == "0"
    assert (
        query(
            opened,
            1,
            shop,
            "SELECT count(*) FROM pg_stat_activity WHERE usename <> current_user AND query <> ''"
            " AND query <> '<insufficient privilege>'",
        )
        == "0"
    )


def test_the_servers_socket_lets_no_app_in(opened: OpenSpace, apps: tuple[str, str]) -> None:
    machine = Machine(opened.first)
    script = (
        "setpriv --reuid=20001 --regid=20001 --clear-groups psql -X -h /run/postgresql -U postgres -c 'SELECT 1' 2>&1"
    )
    assert "Peer authentication failed" in machine.run(f"{script} || true")


def test_the_plans_limit_of_connections_is_enforced_and_shown(opened: OpenSpace, apps: tuple[str, str]) -> None:
    url = url_of(opened, apps[0])
    hold = f"for n in $(seq 20); do psql -X -q -c 'SELECT pg_sleep(5)' '{url}' > /dev/null 2>&1 & done; sleep 3"
    machine = Machine(opened.sessions[1])
    assert "too many connections for role" in machine.run(f"{hold}; psql -X -c 'SELECT 1' '{url}' 2>&1; wait")
    (info,) = pg.info(opened, apps[0])
    assert info.limit == 20
    assert info.connections is not None
    assert info.connections <= 20


def test_ensuring_again_changes_nothing_and_keeps_the_data(opened: OpenSpace, apps: tuple[str, str]) -> None:
    query(opened, 0, url_of(opened, apps[0]), "CREATE TABLE kept AS SELECT 7 AS a")
    told: list[Event] = []
    created = addons.create(opened, apps[0], PG, told.append)
    assert not [event for event in told if isinstance(event, Changed)]
    assert query(opened, 0, url_of(opened, apps[0]), "SELECT a FROM kept") == "7"
    addons.destroy(opened, apps[0], created.addon.name, silent)
    with pytest.raises(DatabaseGone):
        opened.first.call("postgres", {"do": "info", "name": created.addon.facts["name"]})


def test_a_host_that_is_no_longer_of_the_space_is_kept_out(opened: OpenSpace, apps: tuple[str, str]) -> None:
    first = opened.first.host
    request = {"do": "ensure", "address": first.private_address, "names": [first.id]}
    everyone = [session.host.private_address for session in opened.sessions]
    url = url_of(opened, apps[0])
    opened.first.call("postgres", {**request, "hosts": [first.private_address]})
    try:
        assert "no pg_hba.conf entry" in query(opened, 1, url, "SELECT 1")
    finally:
        opened.first.call("postgres", {**request, "hosts": everyone})
    assert query(opened, 1, url, "SELECT 1") == "1"


def test_psql_runs_commands_scripts_and_a_terminal_for_the_caller(opened: OpenSpace, apps: tuple[str, str]) -> None:
    commands = Typed()
    assert psql(opened, apps[0], commands, "SELECT 41 + 1").attend(commands) == 0
    assert b"42" in commands.heard["stdout"]
    script = Typed(b"SELECT 'from a script';\nSELECT nope;\n")
    assert psql(opened, apps[0], script).attend(script) == 0
    assert b"from a script" in script.heard["stdout"]
    assert b'column "nope" does not exist' in script.heard["stderr"]
    person = Typed(b"SELECT 'typed';\n\\q\n", tty=True)
    assert psql(opened, apps[0], person).attend(person) == 0
    assert b"pgshop::DATABASE=> " in person.heard["stdout"]


def test_psql_gives_no_more_of_the_host_than_the_app_has(opened: OpenSpace, apps: tuple[str, str]) -> None:
    uid = opened.ledger.app(apps[0])
    assert uid is not None
    spy = Typed(b"\\! id -u; cat /srv/deployer/ca/ca.key; ls /srv/deployer/store; sudo -n id\n\\c postgres postgres\n")
    psql(opened, apps[0], spy).attend(spy)
    assert spy.heard["stdout"].split() == [str(uid.uid).encode()]
    assert b"rejects connection" in spy.heard["stderr"]


def test_passwords_are_in_no_log_and_no_process_list(opened: OpenSpace, apps: tuple[str, str]) -> None:
    password = urlsplit(url_of(opened, apps[0])).password
    assert password
    busy = Typed(b"SELECT pg_sleep(1);\n")
    running = psql(opened, apps[0], busy)
    seen = Machine(opened.first.second()).run(
        "sleep 0.5; ps -eww -o args; journalctl --no-pager; cat /var/log/postgresql/*"
    )
    running.attend(busy)
    assert "psql" in seen
    assert password not in seen
    assert "SCRAM-SHA-256$" not in seen


def test_a_killed_server_comes_back_by_itself_with_its_data(opened: OpenSpace, apps: tuple[str, str]) -> None:
    machine = Machine(opened.first)
    query(opened, 0, url_of(opened, apps[0]), "CREATE TABLE IF NOT EXISTS survivor (a int)")
    machine.run("kill -9 $(head -1 /srv/deployer/postgresql/*/postmaster.pid)")
    with pytest.raises(PostgresDown, match="systemctl start postgresql@"):
        pg.info(opened, apps[0])
    assert eventually(opened, url_of(opened, apps[0]), "SELECT count(*) FROM survivor") == "0"


def test_it_survives_the_hosts_reboot(space: Pointer, apps: tuple[str, str]) -> None:
    with open_space(space) as before:
        query(before, 0, url_of(before, apps[0]), "CREATE TABLE IF NOT EXISTS rebooted AS SELECT 5 AS a")
        first = before.first.host.id
    spaces.reboot(space.name, [first], silent)
    with open_space(space) as after:
        assert eventually(after, url_of(after, apps[0]), "SELECT a FROM rebooted") == "5"


def psql(opened: OpenSpace, app: str, terminal: Typed, *commands: str) -> OneOff:
    return pg.psql(opened, app, None, pg.Psql(commands), terminal)


def eventually(opened: OpenSpace, url: str, sql: str) -> str:
    """What a query on the second host says once the server answers; what it complained about after 30 s."""
    deadline = time.monotonic() + 30
    while (said := query(opened, 1, url, sql)).startswith("psql: error") and time.monotonic() < deadline:
        time.sleep(0.5)
    return said
