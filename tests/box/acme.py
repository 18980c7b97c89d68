"""An ACME server in the box: pebble, which hosts reach at a name of the box's own, and which they trust as they trust
others, by their system's list."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.build.folders import cache_folder
from tests.box.box import Box
from tests.box.certbot import layer

ROOT = Path(__file__).parent.parent.parent
NAME = "acme.box.test"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
PATIENCE = 20.0  # seconds


@dataclass
class Acme:
    """`address` is where it listens, `resolver` whom it asks for names, `management` a port of loopback."""

    folder: Path
    address: str
    resolver: str
    management: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://{NAME}/dir"

    def start(self) -> None:
        words = [str(command()), "-config", str(self.folder / "pebble.json"), "-dnsserver", self.resolver]
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        with (self.folder / "pebble.log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=env)
        deadline = time.monotonic() + PATIENCE
        while not self.root_or_none():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def trusted(self, image: Path) -> str:
        """Whom the hosts of an image trust, and this server too."""
        return (image / BUNDLE).read_text() + (self.folder / "crt.pem").read_text()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def log(self) -> str:
        return (self.folder / "pebble.log").read_text()

    def orders(self) -> int:
        """How many certificates it has issued."""
        return len(re.findall("Issued certificate serial", self.log()))

    def root(self) -> str:
        """The certificate that those which it issues are verified by; another one at each start."""
        return self.root_or_none() or pytest.fail(self.log())

    def root_or_none(self) -> str:
        url = f"https://127.0.0.1:{self.management}/roots/0"
        try:
            with urllib.request.urlopen(url, timeout=5, context=ssl._create_unverified_context()) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""


def command() -> Path:
    """The program that scripts/pebble-command has built."""
    module = (ROOT / "scripts/pebble/go.mod").read_text()
    found = re.search(r"github\.com/letsencrypt/pebble/v2 v(\S+)", module)
    assert found
    program = cache_folder() / f"pebble-{found[1]}/bin/pebble"
    if not program.exists():
        pytest.skip("pebble is not there: `make pebble` builds it where there is a Go toolchain")
    return program


@contextmanager
def acme(here: Box, folder: Path) -> Iterator[Acme]:
    """A server that all hosts of the box that boot from now on can order from: they have certbot, and trust it."""
    address = str(here.ground.network.network_address + 3)
    image = Path(here.ground.record.image)
    certbot = layer(image)
    here.ground.lend(address)
    here.resolver.names[NAME] = address
    with serving(folder, address, f"{here.ground.resolver}:53") as made:
        trusted = made.trusted(image)

        def furnish(disk: Path) -> None:
            subprocess.run(["cp", "-a", "-n", f"{certbot}/.", str(disk)], check=True)
            (disk / BUNDLE).parent.mkdir(parents=True, exist_ok=True)
            (disk / BUNDLE).write_text(trusted)

        here.fleet.furnish = furnish
        yield made


@contextmanager
def serving(folder: Path, address: str, resolver: str) -> Iterator[Acme]:
    """A server at an address of this machine, which asks a resolver for names."""
    made = Acme(folder, address, resolver, free_port())
    command()
    _certificate(folder)
    (folder / "pebble.json").write_text(json.dumps({"pebble": _settings(made)}))
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _settings(made: Acme) -> dict[str, object]:
    return {
        "listenAddress": f"{made.address}:443",
        "managementListenAddress": f"127.0.0.1:{made.management}",
        "certificate": str(made.folder / "crt.pem"),
        "privateKey": str(made.folder / "key.pem"),
        "httpPort": 80,
        "tlsPort": 443,
        "keyAlgorithm": "ecdsa",
        "retryAfter": {"authz": 1, "order": 1},
        "profiles": {"default": {"description": "as usual", "validityPeriod": 7776000}},
    }


def _certificate(folder: Path) -> None:
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=acme"
    options = ["-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1", "-keyout", "key.pem", "-out", "crt.pem"]
    subprocess.run([*words.split(), *options], cwd=folder, check=True, capture_output=True)


def free_port() -> int:
    """One of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
