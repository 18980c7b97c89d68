"""HTTPS on a host of AWS without a load balancer: certificates by ACME, from a pebble in the box."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.box.acme import Acme, acme
from tests.box.box import Box, box
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(900)]
SOON = 90.0  # seconds until a timer has come by, and an order is through


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


def test_a_page_over_https_that_browsers_trust(site: Site) -> None:
    url = site.ada.brings_up()
    here = site.ada.here
    began = time.monotonic()
    try:
        here.wait(site.serial, SOON)
    except AssertionError:
        print(journal(here), site.issuer.log())
        raise
    print(url, f"{time.monotonic() - began:.1f} s")
    assert site.status() == (301, f"https://{site.ada.name}/")
