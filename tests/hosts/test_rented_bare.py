"""A machine as it is rented: what a host needs comes from the machine's own package sources. Needs the network, for as
many megabytes as the packages have, so it is a part of `make faults` and not of `make test`."""

from __future__ import annotations

import shutil
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from deployer.build.apt_sources import machine_codename, sources_for
from deployer.model.platforms import SYSTEMS
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.person import with_app
from tests.hosts.rented import Laptop, on, rent

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(900)]
# Of what a host has, what a small image of Debian comes without.
PURGED = (
    "bzip2 curl file fontconfig gettext-base git haproxy less libgomp1 libmariadb3 locales nftables postgresql "
    "postgresql-client 'postgresql-*' rsync unzip xz-utils zip zstd"
)
PURGE = f"""
export DEBIAN_FRONTEND=noninteractive
apt-mark manual python3 > /dev/null
apt-get purge --yes --autoremove {PURGED} > /dev/null 2>&1
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /etc/apt/sources.list /etc/apt/sources.list.d/*
"""


class _Relay(BaseHTTPRequestHandler):
    """Brings what machines without a way to the outside ask for, from the servers that this machine's own sources name,
    and from no other."""

    sources = ""

    def do_GET(self) -> None:
        host = urlsplit(self.path).netloc
        secure = f"https://{host}/" in self.sources
        if not secure and f"http://{host}/" not in self.sources:
            self.send_error(403)
            return
        try:
            with urllib.request.urlopen(self.path.replace("http:", "https:", 1) if secure else self.path) as answer:
                self.send_response(answer.status)
                self.send_header("Content-Length", answer.headers["Content-Length"])
                self.end_headers()
                shutil.copyfileobj(answer, self.wfile)
        except HTTPError as error:
            self.send_error(error.code)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""


@contextmanager
def relay(address: str, sources: str) -> Iterator[str]:
    """A proxy on the bridge that machines hang on; its URL."""
    handler = type("Relay", (_Relay,), {"sources": sources})
    with ThreadingHTTPServer((address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{address}:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(params=["debian-13", "debian-12"])
def bare(request: pytest.FixtureRequest, home: Path) -> Iterator[Sandbox]:
    """One machine with Debian and little else, that can install more."""
    sandbox = rent("bare", 1, request.param)
    try:
        codename = machine_codename(Path("/etc/os-release").read_text())
        sources = sources_for(SYSTEMS[request.param].codename, codename)
        assert sources, "this machine has package sources of its own"
        with relay(sandbox.hosts[0].address.rpartition(".")[0] + ".1", sources) as proxy:
            on(sandbox, PURGE)
            on(
                sandbox,
                f"cat > /etc/apt/sources.list.d/own.sources << 'END'\n{sources.replace('https:', 'http:')}\nEND",
            )
            on(sandbox, f"echo 'Acquire::http::Proxy \"{proxy}\";' > /etc/apt/apt.conf.d/proxy")
            yield sandbox
    finally:
        sandbox.destroy()


def test_a_bare_machine_becomes_a_host_and_serves_with_a_database(bare: Sandbox, tmp_path: Path) -> None:
    assert on(bare, "command -v haproxy nft psql rsync git; true") == ""
    laptop = Laptop(tmp_path / "laptop", bare)
    laptop.knows()
    person = laptop.person()
    made = person.types("deployer", "spaces:create", "prod", "--host", "one", "--confirm", "prod")
    assert "haproxy" in made.stderr
    assert on(bare, "pg_lsclusters --no-header; systemctl is-active haproxy").split() == ["active"]

    ada = with_app(tmp_path, "python_django", "shop", 80)
    ada.env, ada.address = laptop.env, laptop.address()
    ada.host = f"shop.{laptop.address().replace('.', '-')}.sslip.io"
    ada.types("deployer", "create", "shop")
    ada.types("deployer", "addons:create", "heroku-postgresql:essential-0")
    ada.types("git", "push", "deployer", "main")
    ada.sees("Hello from Django v3 on web.1")
    person.types("deployer", "spaces:destroy", "prod", "--confirm", "prod")
    assert on(bare, "ls /etc/systemd/system | grep deployer; systemctl is-active haproxy; true").split() == ["inactive"]
