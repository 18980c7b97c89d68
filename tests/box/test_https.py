"""HTTPS on a host of AWS without a load balancer: certificates by ACME, from a pebble in the box."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.box.acme import Acme, acme
from tests.box.box import Box, box
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(900)]
SOON = 100.0  # seconds until a timer has come by, and an order is through
BACK = 150.0  # seconds until another host serves
FILES = ("/etc/haproxy/certificates", "/etc/haproxy/certificates/placeholder", "/srv/deployer/certbot")


@dataclass
class Site:
    """Somebody's app on one host, and who issues its certificates."""

    ada: Person
    issuer: Acme

    def serial(self, name: str = "") -> str:
        """The serial number of what the front shows for a name, verified by the issuer's root; empty where that is not
        what it shows."""
        context = ssl.create_default_context(cadata=self.issuer.root())
        address = (self.ada.here.front_address(), 443)
        try:
            with (
                socket.create_connection(address, 10) as plain,
                context.wrap_socket(plain, server_hostname=name or self.ada.name) as found,
            ):
                return str((found.getpeercert() or {})["serialNumber"])
        except OSError:
            return ""

    def status(self, method: str = "GET", path: str = "/", name: str = "") -> tuple[int, str]:
        """What plain HTTP says: the status, and where it leads."""
        connection = http.client.HTTPConnection(self.ada.here.front_address(), 80, timeout=20)
        connection.request(method, path, headers={"Host": name or self.ada.name})
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.getheader("Location", "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with (
        box(hooks={"drain": 0.5}) as here,
        acme(here, tmp_path_factory.mktemp("acme")) as issuer,
        at_work(here, tmp_path_factory.mktemp("ada"), "shop", "python_flask_worker") as ada,
    ):
        ada.describes(1, f'certificates = {{ server = "{issuer.url}" }}')
        yield Site(ada, issuer)


def journal(here: Box) -> str:
    """What the host says of certificates."""
    [one] = here.instances()
    said = here.run(one.id, "journalctl", "--no-pager", "-n", "60", "-u", "deployer-certificates-v1.service")
    return said + here.run(one.id, "bash", "-c", "grep -ih detail /srv/deployer/certbot/logs/*; true")


def store(site: Site) -> tuple[Any, str]:
    """The space's bucket, as people reach it."""
    s3 = site.ada.here.cloud.client("s3")
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    return s3, next(name for name in names if "store" in name)


def record(site: Site, name: str = "") -> dict[str, Any]:
    """What the store says of a certificate; empty where it says nothing."""
    s3, bucket = store(site)
    try:
        body = s3.get_object(Bucket=bucket, Key=f"certificates/{name or site.ada.name}")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return {}
    return dict(json.loads(body)) if body else {}


def write(site: Site, **changed: object) -> None:
    """Have the store say something else of the app's certificate, as if people had changed it."""
    s3, bucket = store(site)
    body = json.dumps({**record(site), **changed}).encode()
    s3.put_object(Bucket=bucket, Key=f"certificates/{site.ada.name}", Body=body)
    s3.put_object(Bucket=bucket, Key="issuing/changed", Body=json.dumps({"at": str(time.time())}).encode())


def test_up_ends_with_a_page_over_https_that_browsers_trust(site: Site) -> None:
    ada = site.ada
    url = ada.brings_up()
    assert url == f"https://shop.{ada.here.front_address().replace('.', '-')}.sslip.io/", journal(ada.here)
    assert "in force" in ada.err
    assert site.serial() and site.issuer.orders() == 1
    assert site.status() == (301, url)
    assert site.status("POST", "/form?a=b") == (308, f"{url}form?a=b")
    assert site.status(path="/.well-known/acme-challenge/none") == (404, "")
    assert site.status(path="/-/ready", name="10.0.0.1")[0] == 200
    assert ada.asks(secure=True)[1].startswith("Hello from Flask")
    found = record(site)
    assert (found["status"], found["by"], found["failures"]) == ("issued", "acme", 0)
    assert "BEGIN CERTIFICATE" in found["chain"] and "PRIVATE KEY" in found["key"]
    modes = ada.here.run(ada.here.instances()[0].id, "stat", "-c", "%a %U", *FILES).splitlines()
    assert modes == ["700 root", "600 root", "700 root"]


def test_a_renewal_by_the_timer_takes_no_connection_away(site: Site) -> None:
    ada, here = site.ada, site.ada.here
    [host] = here.instances()
    before, process = site.serial(), pid(here, host.id)
    context = ssl.create_default_context(cadata=site.issuer.root())
    with (
        socket.create_connection((here.front_address(), 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=ada.name) as kept,
    ):
        assert asked(kept, ada.name) == 200
        now = datetime.now(UTC)
        life = {"starts": now - timedelta(days=70), "ends": now + timedelta(days=20)}
        write(site, **{key: at.strftime("%Y-%m-%dT%H:%M:%SZ") for key, at in life.items()})
        deadline = time.monotonic() + SOON
        while site.serial() == before:
            asked(kept, ada.name)  # so that nobody takes it for idle
            assert time.monotonic() < deadline, journal(here)
            time.sleep(1)
        assert asked(kept, ada.name) == 200, "the connection of before"
    assert site.serial() and pid(here, host.id) == process
    assert site.issuer.orders() == 2


def test_a_host_that_takes_the_place_of_another_orders_nothing(site: Site) -> None:
    ada, here = site.ada, site.ada.here
    before, orders, [dead] = site.serial(), site.issuer.orders(), here.instances()
    here.terminate(dead.id, hard=True)
    here.wait(lambda: [one.id for one in here.instances()] not in ([dead.id], []), BACK)
    here.wait(lambda: ada.asks(secure=True)[0] == 200, BACK)
    assert site.serial() == before
    time.sleep(5)
    assert "failing" not in journal(here) and site.issuer.orders() == orders
    assert site.status() == (301, f"https://{ada.name}/")


def test_without_its_issuer_apps_speak_http_and_the_reason_is_told(site: Site) -> None:
    ada = site.ada
    site.issuer.stop()
    try:
        (ada.folder / "deployer.toml").write_text((ada.folder / "deployer.toml").read_text().replace("shop", "blog"))
        ada.app = "blog"
        url = ada.types("up", "--space", "production", "--yes").splitlines()[-1]
    finally:
        site.issuer.start()
    name = url.removeprefix("http://").rstrip("/")
    assert url.startswith("http://blog.") and "No HTTPS yet, plain HTTP meanwhile:" in ada.err, ada.err
    found = record(site, name)
    assert found["status"] == "failing" and found["failures"] == 1 and "acme.box.test" in found["reason"], found
    assert site.status(name=name) == (200, "")
    assert site.status()[0] == 301, "what is in force stays so"


def test_a_name_that_dns_leads_elsewhere_is_not_ordered(site: Site) -> None:
    ada, here = site.ada, site.ada.here
    orders, host = site.issuer.orders(), here.instances()[0].id
    said = here.run(host, "bash", "-c", "cat /srv/deployer/apps/blog/routes.json")
    routes = json.loads(said)
    routes["domains"].append("www.elsewhere.test")
    here.resolver.names["www.elsewhere.test"] = "127.99.0.1"
    told = json.dumps(routes)
    here.run(host, "bash", "-c", f"cat > /srv/deployer/apps/blog/routes.json <<'END'\n{told}\nEND")
    here.run(host, "systemctl", "start", "deployer-certificates-v1.service")
    found = record(site, "www.elsewhere.test")
    assert found["reason"].startswith("DNS does not lead here: www.elsewhere.test leads to 127.99.0.1"), found
    assert found["failures"] == 0 and site.issuer.orders() == orders
    assert ada.asks(secure=True)[0] == 200


def asked(kept: ssl.SSLSocket, name: str) -> int:
    """The status that a connection which is kept answers with, to the end of the answer."""
    kept.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    answer = HTTPResponse(kept)
    answer.begin()
    answer.read()
    return answer.status


def pid(here: Box, host: str) -> str:
    """The number of HAProxy's worker: another one after each reload."""
    ask = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); "
    ask += "s.sendall(b'show info\\n'); print(s.makefile().read())"
    return here.run(host, "python3", "-c", ask).partition("\nPid: ")[2].split()[0]
