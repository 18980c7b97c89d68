"""Whose a domain is: two laptops that add the same one at once do not both get it, and nothing keeps one for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.certificate import ACME, PENDING, Certificate
from deployer.store.folder import FolderStore
from deployer.store.lease import Held, hold
from deployer.store.ledger import Ledger

NAME = "www.example.com"


@pytest.fixture
def ledger(tmp_path: Path) -> Callable[[], Ledger]:
    """Further laptops at the same store, with the apps `blog` and `shop`."""

    def another() -> Ledger:
        return Ledger(FolderStore(tmp_path), "ann@laptop")

    for app in ("shop", "blog"):
        another().create_app(app, space="sandbox")
    return another


def held(ledger: Ledger, app: str) -> AbstractContextManager[Held]:
    return hold(ledger.store, f"app-{app}", command="domains:add", wait=0, second_store=lambda: ledger.store)


def adds(ledger: Ledger, app: str, name: str = NAME) -> str:
    """As the command does, with the app's lease."""
    with held(ledger, app):
        owner = ledger.claim_domain(name, app)
        if owner == app:
            found = ledger.app(app)
            assert found is not None
            ledger.save_app(replace(found, domains=(*found.domains, name)))
        return owner


def test_who_comes_second_is_told_whose_it_is(ledger: Callable[[], Ledger]) -> None:
    assert adds(ledger(), "shop") == "shop"
    assert adds(ledger(), "blog") == "shop"
    assert adds(ledger(), "blog", "*.example.com") == "blog"


def test_one_of_two_at_the_same_time_gets_it(ledger: Callable[[], Ledger]) -> None:
    for turn in range(20):
        with ThreadPoolExecutor(2) as pool:
            name = f"n{turn}.example.com"
            owners = list(pool.map(lambda app, name=name: adds(ledger(), app, name), ("shop", "blog")))
        assert len(set(owners)) == 1


def test_what_a_dead_command_has_claimed_is_free_once_its_lease_is(ledger: Callable[[], Ledger]) -> None:
    with held(ledger(), "shop"):
        assert ledger().claim_domain(NAME, "shop") == "shop"
        assert adds(ledger(), "blog") == "shop"
    assert adds(ledger(), "blog") == "blog"
    assert adds(ledger(), "shop") == "blog"


def test_a_domain_is_free_when_it_is_taken_away_or_its_app_is_gone(ledger: Callable[[], Ledger]) -> None:
    one = ledger()
    adds(one, "shop")
    found = one.app("shop")
    assert found is not None
    one.save_app(replace(found, domains=()))
    one.free_domains([NAME], "blog")  # not its own
    assert one.domain_owner(NAME) is None
    assert adds(ledger(), "blog") == "blog"
    one.free_domains([NAME], "shop")  # somebody has it by now
    assert ledger().domain_owner(NAME) == "blog"
    one.delete_app("blog")
    assert adds(ledger(), "shop") == "shop"


def test_certificates_are_read_by_name(ledger: Callable[[], Ledger]) -> None:
    known = Certificate(NAME, ACME, PENDING, reason="DNS leads elsewhere")
    ledger().save_certificate(known, "2026")
    assert ledger().certificates([NAME, "*.example.com"]) == {NAME: known}
