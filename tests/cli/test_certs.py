"""`certs` and its kin as people type them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.certificate import ACM, ISSUED, Certificate
from deployer.operations.certificates import facts_of
from deployer.store import keys
from deployer.store.base import Get
from tests.cli.conftest import Machine
from tests.cli.test_domains import rented

Golden = Callable[[str, str], None]
assert rented  # a fixture
HOST = "shop.192-0-2-1.sslip.io"


@pytest.mark.parametrize(
    "words",
    [
        "certs:auto",
        "certs:auto --json",
        "certs:auto:enable",
        "certs:auto:disable",
        "certs:redirect",
        "certs:redirect --json",
        "certs:info --name old.example.com",
    ],
)
def test_what_a_command_shows(words: str, rented: Machine, golden: Golden) -> None:
    golden(f"commands/{words.replace(' ', '_').replace(':', '.')}.txt", rented.shown(*words.split()))


def test_sandboxes_speak_http_only(deployed: Machine) -> None:
    assert deployed.run("certs:auto") == 0
    assert deployed.out == "⬢ shop has no certificates: sandboxes speak HTTP only.\n"
    assert deployed.run("certs") == 0
    assert deployed.out == "⬢ shop has no certificates.\n"
    assert deployed.run("certs:auto:refresh") == 0
    assert "sandboxes speak HTTP only" in deployed.err


def test_what_has_failed_is_tried_again_at_once_and_hosts_hear_of_it(rented: Machine) -> None:
    assert rented.run("certs:auto:refresh") == 0
    assert "done, example.com, old.example.com, *.example.org\n" in rented.err
    ledger = rented.ledger()
    found = ledger.certificates(["old.example.com", "www.example.com"])
    assert (found["old.example.com"].failures, found["old.example.com"].asked) == (0, "")
    assert found["old.example.com"].reason.startswith("DNS leads to")
    assert found["www.example.com"].is_in_force
    assert ledger.store.batch([Get(keys.CERTIFICATES_CHANGED)]).answers[0] is not None


def test_the_redirect_is_set_by_routes_alone(deployed: Machine) -> None:
    assert deployed.run("certs:redirect", "off") == 0
    assert deployed.err == "Disabling the redirect to HTTPS for ⬢ shop (sandbox)... done\n"
    [routes] = [request["routes"] for call, request in deployed.host.asked if call == "switch"]
    assert routes["redirect"] is False
    assert deployed.run("certs:redirect") == 0
    assert deployed.out == "off\n"
    deployed.host.asked.clear()
    assert deployed.run("certs:redirect", "off") == 0
    assert "switch" not in [call for call, _ in deployed.host.asked]
    assert deployed.run("certs:redirect", "maybe") == 2
    assert deployed.ledger().state("shop").current.release == 3  # type: ignore[union-attr]


def test_a_url_says_https_while_a_certificate_is_in_force(rented: Machine) -> None:
    assert rented.run("open") == 0
    assert rented.out == f"https://{HOST}/\n"
    rented.run("info", "--json")
    told = json.loads(rented.out)["app"]
    assert (told["web_url"], told["domains"][0]) == (f"https://{HOST}/", HOST)
    ledger = rented.ledger()
    over = replace(ledger.certificates([HOST])[HOST], ends="2026-09-30T00:00:00Z")
    ledger.save_certificate(over, ledger.timestamp())
    rented.run("open")
    assert rented.out == f"http://{HOST}/\n"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One that nobody trusts."""
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = Path(folder, "c"), Path(folder, "k")
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90"
    names = ["-subj", "/O=Nobody/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com"]
    extra = [*names, "-keyout", str(key), "-out", str(chain)]
    subprocess.run([*words.split(), *extra], check=True, capture_output=True)
    times = {"starts": "2026-09-01T00:00:00Z", "ends": "2026-11-30T00:00:00Z"}
    return Certificate("www.example.com", "acme", ISSUED, chain.read_text(), key.read_text(), **times)


def test_a_certificate_says_whose_it_is_and_whether_browsers_trust_it(issued: Certificate) -> None:
    facts = facts_of(issued)
    assert facts.names == ("www.example.com",)
    assert (facts.issuer, facts.subject) == ("/O=Nobody/CN=www.example.com",) * 2
    assert "self-signed" in facts.distrust or "self signed" in facts.distrust
    assert facts_of(replace(issued, key="nonsense")).distrust
    assert facts_of(Certificate("a.test", ACM, ISSUED, arn="arn")).distrust == ""


def test_certificates_in_force_are_listed(rented: Machine, issued: Certificate, golden: Golden) -> None:
    ledger = rented.ledger()
    for name in ("www.example.com", HOST):
        known = ledger.certificates([name])[name]
        ledger.save_certificate(replace(known, chain=issued.chain, key=issued.key), ledger.timestamp())
    golden("commands/certs.txt", rented.shown("certs"))
    golden("commands/certs.info.txt", rented.shown("certs:info", "--name", "www.example.com"))
    assert rented.run("certs", "--json") == 0
    assert [one["name"] for one in json.loads(rented.out)] == [HOST, "www.example.com"]
    assert issued.key not in rented.out
