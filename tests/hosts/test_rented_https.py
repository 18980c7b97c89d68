"""HTTPS of a rented machine: its first host orders certificates, from a pebble on this machine."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.spaces.sandbox.sandbox import Sandbox
from tests.box.acme import BUNDLE, NAME, Acme, free_port, serving
from tests.box.certbot import layer
from tests.box.resolver import answering
from tests.hosts.person import with_app
from tests.hosts.rented import Laptop, on, rent

pytestmark = pytest.mark.hosts
SOON = 100.0  # seconds until a timer has come by, and an order is through
SET_ISSUER = """
import json, pathlib
path = pathlib.Path("/srv/deployer/store/space")
found = json.loads(path.read_text())
path.write_text(json.dumps({**found, "certificates": {"server": "URL"}}))
"""


@pytest.fixture(scope="module")
def machine(home: Path) -> Iterator[Sandbox]:
    sandbox = rent("secure", 1)
    yield sandbox
    sandbox.destroy()


@pytest.fixture(scope="module")
def issuer(machine: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """Who issues certificates: names below sslip.io lead where they say."""
    port = free_port()
    with (
        answering(("127.0.0.1", port), {}),
        serving(tmp_path_factory.mktemp("acme"), machine.record.gateway, f"127.0.0.1:{port}") as made,
    ):
        furnish(machine, made)
        yield made


def furnish(machine: Sandbox, issuer: Acme) -> None:
    """What is Debian's: certbot, whom to trust, and names, which machines here can ask nobody for."""
    image, shared = Path(machine.record.image), machine.folder / "hosts" / machine.record.machines[0].name / "srv/more"
    shutil.rmtree(shared, ignore_errors=True)
    subprocess.run(["cp", "-a", str(layer(image)), str(shared)], check=True)
    subprocess.run(["find", str(shared), "-type", "c", "-delete"], check=True)
    (shared / BUNDLE).parent.mkdir(parents=True, exist_ok=True)
    (shared / BUNDLE).write_text(issuer.trusted(image))
    address = machine.hosts[0].address
    names = f"{machine.record.gateway} {NAME}\n{address} shop.{address.replace('.', '-')}.sslip.io\n"
    on(machine, f"cp -a /srv/more/. / && rm -rf /srv/more && cat >> /etc/hosts <<'END'\n{names}END")


def shown(address: str, name: str, root: str) -> str:
    """The serial number of what the host shows, verified by the issuer's root; empty where it shows another."""
    context = ssl.create_default_context(cadata=root)
    try:
        with (
            socket.create_connection((address, 443), 10) as plain,
            context.wrap_socket(plain, server_hostname=name) as found,
        ):
            return str((found.getpeercert() or {})["serialNumber"])
    except OSError:
        return ""


def test_a_rented_machine_gets_a_certificate_and_gives_its_key_back(
    machine: Sandbox, issuer: Acme, tmp_path: Path
) -> None:
    laptop = Laptop(tmp_path / "laptop", machine)
    laptop.knows()
    laptop.person().types("deployer", "spaces:create", "prod", "--host", "one", "--confirm", "prod")
    on(machine, f"python3 - <<'END'{SET_ISSUER.replace('URL', issuer.url)}END")
    ada = with_app(tmp_path, "python_flask_worker", "shop", 80)
    ada.env, ada.address = laptop.env, laptop.address()
    name = ada.host = f"shop.{laptop.address().replace('.', '-')}.sslip.io"
    ada.types("deployer", "create", "shop")
    ada.types("git", "push", "deployer", "main")
    root, deadline = issuer.root(), time.monotonic() + SOON
    while not shown(laptop.address(), name, root):
        journal = "journalctl --no-pager -u deployer-certificates-v1.service; cat /srv/deployer/certificates.json"
        assert time.monotonic() < deadline, on(machine, journal)
        time.sleep(1)
    connection = http.client.HTTPConnection(laptop.address(), 80, timeout=10)
    connection.request("GET", "/", headers={"Host": name})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{name}/")
    known = json.loads(on(machine, f"cat /srv/deployer/store/certificates/{name}"))
    assert (known["status"], known["failures"]) == ("issued", 0) and issuer.orders() == 1
    laptop.person().types("deployer", "spaces:destroy", "prod", "--confirm", "prod")
    assert on(machine, "find / -xdev -name '*.pem' -newer /etc/hosts -not -path '/usr/*' -not -path '/etc/ssl/*'") == ""
    assert on(machine, "ls /etc/systemd/system | grep certificates; true") == ""
