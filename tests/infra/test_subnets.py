"""Subnets fit into their network and do not overlap, whatever it is."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

from hypothesis import given

from infra.read import MOST_HOSTS
from infra.spec import ZONES, Spec
from infra.subnets import plan
from tests.infra.strategies import specs


@given(specs)
def test_subnets_fit_and_do_not_overlap(spec: Spec) -> None:
    subnets = plan(spec.network)
    assert all(one.network.subnet_of(IPv4Network(spec.network)) for one in subnets)
    assert not [(a.name, b.name) for a, b in combinations(subnets, 2) if a.network.overlaps(b.network)]


@given(specs)
def test_each_zone_has_a_public_and_a_private_subnet_that_hold_every_host(spec: Spec) -> None:
    subnets = plan(spec.network)
    for public in (True, False):
        assert sorted(one.zone for one in subnets if one.public is public) == list(range(ZONES))
    assert all(one.hosts > 2 * MOST_HOSTS for one in subnets)


def test_the_plan_of_the_default_network() -> None:
    assert [(one.name, str(one.network)) for one in plan("10.64.0.0/16")] == [
        ("public-a", "10.64.0.0/19"),
        ("public-b", "10.64.32.0/19"),
        ("data-a", "10.64.128.0/19"),
        ("data-b", "10.64.160.0/19"),
    ]
