"""A space of deployer.toml becomes a specification, or all that is wrong with it is said at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors.preview import SpecificationBroken
from infra.read import KEYS, parse
from infra.spec import Budget, Database, Hosts, Issuer, Spec

Golden = Callable[[str, str], None]
WHOLE = """
region = "eu-central-1"
account = "123456789012"
hosts = { size = "t4g.medium", count = 2 }
database = { size = "db.t4g.small", storage = 50 }
load-balancer = true
domain = "example.com"
budget = { monthly = 60, email = "me@example.com" }
access = { ssh-from = ["203.0.113.7", "198.51.100.0/24"] }
network = "172.20.0.0/20"
"""
BROKEN = """
region = "eu-centrl-1"
account = 123456789012
hosts = { size = "t4g.smal", count = 0, disk = 30 }
database = { size = "t4g.micro", storage = "20" }
load_balancer = true
domain = "Example.com"
budget = { monthly = 60 }
access = { ssh-from = ["0.0.0.0/0", "my-office"] }
network = "8.8.0.0/16"
"""


def read(text: str) -> Spec:
    return parse("production", tomllib.loads(text))


def test_a_region_is_enough() -> None:
    assert read('region = "eu-west-1"') == Spec("eu-west-1")


def test_every_key() -> None:
    assert read(WHOLE) == Spec(
        "eu-central-1",
        Hosts("t4g.medium", 2),
        Database("db.t4g.small", 50),
        load_balancer=True,
        account="123456789012",
        domain="example.com",
        budget=Budget(60, "me@example.com"),
        ssh_from=("203.0.113.7/32", "198.51.100.0/24"),
        network="172.20.0.0/20",
    )


def test_all_that_is_wrong_is_said_at_once(golden: Golden) -> None:
    with pytest.raises(SpecificationBroken) as raised:
        read(BROKEN)
    golden("errors/specification-broken.txt", str(raised.value) + "\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "space.production.region: is missing"),
        ('region = "eu-west-1"\nhosts = { count = 2 }', "space.production.load-balancer: 2 hosts need one"),
        ('region = "eu-west-1"\nhosts = "t4g.small"', "space.production.hosts: should be a table"),
        ('region = "eu-west-1"\nhosts = { count = true }', "space.production.hosts.count: should be a whole number"),
        ('region = "eu-west-1"\nbudget = { email = "a@b.de" }', "space.production.budget.monthly: should be a whole"),
        ('region = "eu-west-1"\naccess = "ssh"', "space.production.access: should be a table"),
        ('region = "eu-west-1"\naccess = {}', "space.production.access.ssh-from: should be networks"),
        ('region = "eu-west-1"\nnetwork = "10.0.0.1/16"', "space.production.network: should be a private network"),
        ('region = "eu-west-1"\nnetwork = "10.0.0.0/23"', "space.production.network: should be a private network"),
        ('region = ["eu-west-1"]', 'space.production.region: ["eu-west-1"] is none that deployer knows.'),
    ],
)
def test_what_is_said(text: str, said: str) -> None:
    with pytest.raises(SpecificationBroken) as raised:
        read(text)
    assert said in str(raised.value)


toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["region", "account", "hosts", "database", "load-balancer", "domain", "budget", "access", "network", "x"]
)


@given(toml_values | st.dictionaries(keys, toml_values))
def test_whatever_stands_there_is_a_specification_or_is_explained(data: object) -> None:
    try:
        assert isinstance(parse("production", data), Spec)
    except SpecificationBroken as error:
        assert all(line.startswith("space.production") for line in error.problems.splitlines())


def test_the_example_in_the_documentation_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs/deployer-toml.md").read_text()
    example = tomllib.loads(page.partition("```toml\n")[2].partition("```")[0])
    spec = parse("production", example["space"]["production"])
    assert spec.shape == "2 hosts, ALB, RDS"
    assert {*example["space"]["production"], "certificates"} == set(KEYS), "AWS has those of a load balancer"


def test_who_issues_certificates() -> None:
    told = {"region": "eu-central-1", "certificates": {"server": "https://acme.test/dir", "email": "me@example.com"}}
    assert parse("production", told).certificates == Issuer("https://acme.test/dir", "me@example.com")
    assert parse("production", {"region": "eu-central-1"}).certificates is None
    wrong = {"server": "acme.test", "email": "me", "key": "rsa"}
    with pytest.raises(SpecificationBroken) as broken:
        parse("production", {"region": "eu-central-1", "load-balancer": True, "certificates": wrong})
    for part in (".server", ".email", ".key", "certificates: mean nothing beside load-balancer"):
        assert part in broken.value.problems
