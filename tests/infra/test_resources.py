"""What a specification consists of, as a list: everything that is paid for is in it, under the same noun."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from infra.bill import Usage, items
from infra.resources import resources
from infra.spec import Budget, Database, Hosts, Spec
from tests.infra.strategies import in_force


@given(in_force)
def test_what_is_paid_for_consists_of_something(spec: Spec) -> None:
    assert {item.noun for item in items(spec, Usage())} <= {one.noun for one in resources("production", spec)}


@given(in_force)
def test_no_two_things_of_a_kind_have_one_name(spec: Spec) -> None:
    named = Counter((one.kind, one.name) for one in resources("production", spec) if one.name)
    assert not [key for key, count in named.items() if count > 1]


def test_one_host_has_an_address_that_stays_and_no_load_balancer() -> None:
    kinds = [one.kind for one in resources("production", Spec("us-east-1"))]
    assert "Elastic IP" in kinds
    assert not {"ALB", "target group", "RDS for PostgreSQL", "budget"} & set(kinds)
    assert kinds.count("subnet") == 2


def test_a_certificate_comes_with_a_domain_behind_a_load_balancer() -> None:
    spec = Spec("us-east-1", Hosts(count=2), Database(), load_balancer=True, domain="example.com")
    found = resources("production", spec)
    assert [one.about for one in found if one.kind == "certificate"] == ["*.example.com"]
    assert [one.kind for one in found].count("listener") == 2
    assert [one.kind for one in found].count("subnet") == 4


def test_further_domains_have_a_certificate_each() -> None:
    spec = Spec("us-east-1", Hosts(count=2), load_balancer=True, domains=("www.shop.example", "shop.example"))
    found = resources("production", spec)
    assert [one.about for one in found if one.kind == "certificate"] == ["www.shop.example", "shop.example"]
    assert [one.about for one in found if one.kind == "listener"] == ["HTTP", "HTTPS"]


def test_port_22_is_open_only_to_those_that_are_named() -> None:
    found = resources("production", Spec("us-east-1", ssh_from=("203.0.113.7/32",), budget=Budget(60, "me@a.de")))
    assert [one.about for one in found if one.noun == "access"] == ["SSH from 203.0.113.7/32"]
    assert [one.about for one in found if one.noun == "budget"] == ["$60 a month, me@a.de, for the whole account"]
