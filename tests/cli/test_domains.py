"""`domains` and its kin as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from deployer.model.certificate import ACME, FAILING, ISSUED, PENDING, Certificate
from deployer.model.space import Space
from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]


@pytest.fixture
def rented(deployed: Machine) -> Machine:
    """The same app in a space of one rented server, with four domains, whose certificates are differently far."""
    ledger = deployed.ledger()
    space, app = ledger.space(), ledger.app("shop")
    assert app is not None
    ledger.save_space(replace(space, kind="ssh", url="http://{app}.192-0-2-1.sslip.io/"))
    names = ("www.example.com", "example.com", "old.example.com", "*.example.org")
    ledger.save_app(replace(app, domains=names))
    own = Certificate(
        "shop.192-0-2-1.sslip.io", ACME, ISSUED, "c", "k", starts="2026-09-01T00:00:00Z", ends="2026-11-30T00:00:00Z"
    )
    reason = "DNS leads to 198.51.100.7, and not to 192.0.2.1"
    for one in (
        own,
        replace(own, name="www.example.com"),
        Certificate("example.com", ACME, PENDING, asked="2026-09-30T14:00:00Z"),
        Certificate("old.example.com", ACME, FAILING, asked="2026-09-30T13:00:00Z", failures=2, reason=reason),
    ):
        ledger.save_certificate(one, ledger.timestamp())
    return deployed


@pytest.mark.parametrize(
    "words",
    ["domains", "domains --json", "domains --csv", "domains:info old.example.com", "domains:info www.example.com -j"],
)
def test_what_a_command_shows(words: str, rented: Machine, golden: Golden) -> None:
    golden(f"commands/{words.replace(' ', '_').replace(':', '.')}.txt", rented.shown(*words.split()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("add", "domains:add shop.example.net"),
        ("add-apex", "domains:add example.net -j"),
        ("add-again", "domains:add www.example.com"),
        ("add-own", "domains:add shop.192-0-2-1.sslip.io"),
        ("add-url", "domains:add https://www.example.com/"),
        ("remove", "domains:remove WWW.example.com."),
        ("remove-unknown", "domains:remove nobody.example.com"),
        ("remove-own", "domains:remove shop.192-0-2-1.sslip.io"),
        ("clear-unasked", "domains:clear"),
        ("clear", "domains:clear --confirm shop"),
        ("info-unknown", "domains:info nobody.example.com"),
    ],
)
def test_what_a_change_says(name: str, words: str, rented: Machine, golden: Golden) -> None:
    golden(f"commands/domains-{name}.txt", rented.shown(*words.split()))


def test_a_sandbox_says_how_this_machine_finds_the_name(deployed: Machine, golden: Golden) -> None:
    golden("commands/domains-add-sandbox.txt", deployed.shown("domains:add", "www.shop.test"))
    golden("commands/domains-sandbox.txt", deployed.shown("domains"))


def test_an_added_domain_is_routed_to_without_a_release_or_a_restart(deployed: Machine) -> None:
    before = deployed.ledger().state("shop")
    assert deployed.run("domains:add", "www.example.com") == 0
    after = deployed.ledger().state("shop")
    assert before and after and before.current and after.current
    assert (after.current.release, after.current.generation) == (3, before.current.generation + 1)
    assert after.operation is None
    calls = [call for call, _ in deployed.host.asked]
    assert "switch" in calls and not {"boot", "replace", "restart", "retire"} & set(calls)
    routes = next(request["routes"] for call, request in deployed.host.asked if call == "switch")
    assert routes["domains"] == ["shop.localhost", "www.example.com"]
    assert (routes["generation"], routes["redirect"]) == (after.current.generation, True)


def test_a_domain_that_is_there_changes_nothing(deployed: Machine) -> None:
    deployed.run("domains:add", "www.example.com")
    deployed.host.asked.clear()
    assert deployed.run("domains:add", "WWW.EXAMPLE.COM") == 0
    assert "it was there already" in deployed.err
    assert "switch" not in [call for call, _ in deployed.host.asked]


def test_an_app_without_code_has_its_domains_noted(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run("domains:add", "www.example.com", "-a", "shop") == 0
    app = sandbox.ledger().app("shop")
    assert app is not None and app.domains == ("www.example.com",)
    assert "stage" not in [call for call, _ in sandbox.host.asked]


def test_a_domain_belongs_to_one_app(deployed: Machine) -> None:
    deployed.run("create", "blog")
    deployed.run("domains:add", "www.example.com", "-a", "blog")
    assert deployed.run("domains:add", "www.example.com", "-a", "shop") == 1
    assert "www.example.com belongs to the app blog in the space sandbox." in deployed.err
    assert "domains:remove www.example.com -a blog" in deployed.err
    deployed.run("apps:destroy", "-a", "blog", "--confirm", "blog")
    assert deployed.run("domains:add", "www.example.com", "-a", "shop") == 0


def test_names_that_the_space_gives_are_for_those_apps(deployed: Machine) -> None:
    deployed.run("create", "blog")
    assert deployed.run("domains:add", "blog.localhost", "-a", "shop") == 1
    assert "blog.localhost is the name that the space sandbox gives to the app blog." in deployed.err
    assert deployed.ledger().domain_owner("blog.localhost") is None
    assert deployed.run("domains:add", "www.localhost", "-a", "shop") == 0
    assert deployed.run("create", "www") == 1
    assert "would answer at www.localhost, which belongs to the app shop" in deployed.err
    assert deployed.ledger().app("www") is None
    deployed.run("domains:remove", "www.localhost", "-a", "shop")
    assert deployed.run("create", "www") == 0


def test_there_are_at_most_a_thousand(deployed: Machine) -> None:
    ledger = deployed.ledger()
    app = ledger.app("shop")
    assert app is not None
    ledger.save_app(replace(app, domains=tuple(f"n{number}.example.com" for number in range(1000))))
    assert deployed.run("domains:add", "www.example.com") == 1
    assert "shop has 1000 domains; more are not possible." in deployed.err


def test_a_cleared_app_keeps_the_name_of_its_space(deployed: Machine) -> None:
    for name in ("a.example.com", "b.example.com"):
        deployed.run("domains:add", name)
    deployed.answer = "shop"
    assert deployed.run("domains:clear") == 0
    assert deployed.err.endswith("Removing all domains from ⬢ shop (sandbox)... done, 2 removed\n")
    assert deployed.run("domains", "--json") == 0
    assert [one["hostname"] for one in json.loads(deployed.out)] == ["shop.localhost"]
    assert deployed.ledger().domain_owner("a.example.com") is None


def test_a_load_balancers_certificate_covers_names_below_the_spaces_domain(deployed: Machine) -> None:
    ledger = deployed.ledger()
    space: Space = ledger.space()
    ledger.save_space(replace(space, kind="aws", url="https://{app}.example.com/", balanced=True))
    app = ledger.app("shop")
    assert app is not None
    ledger.save_app(replace(app, domains=("www.example.com", "shop.example.org")))
    deployed.run("domains", "--json")
    assert [one["acm_status"] for one in json.loads(deployed.out)] == ["OK", "OK", "HTTP only"]


def test_waiting_ends_where_the_certificate_is_in_force(rented: Machine) -> None:
    assert rented.run("domains:wait", "www.example.com") == 0
    assert rented.err == "Waiting for www.example.com... done, OK\n"


def test_waiting_in_vain_says_for_what(rented: Machine) -> None:
    assert rented.run("domains:wait", "old.example.com", "--timeout", "0") == 1
    assert "Not ready after 0 s: old.example.com." in rented.err
    assert "old.example.com: Failing: DNS leads to 198.51.100.7, and not to 192.0.2.1" in rented.err
    assert "SERVING" not in rented.err


def test_on_a_sandbox_a_name_is_waited_for_until_this_machine_knows_it(deployed: Machine) -> None:
    assert deployed.run("domains:add", "nobody.invalid", "--wait", "--timeout", "0") == 1
    assert "nobody.invalid: DNS does not know it yet: its record should be A 127.0.0.1" in deployed.err
    assert deployed.run("domains:wait", "shop.localhost", "--timeout", "0") == 0
