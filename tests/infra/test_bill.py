"""What a specification costs: the sum is the sum of its lines, and what has no price is not free."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from infra import prices
from infra.bill import Bill, Usage, bill, items
from infra.spec import Database, Hosts, Spec
from tests.infra.strategies import specs

TABLE = prices.load(prices.shipped())
EMPTY = prices.Table({})


def amounts(found: Bill) -> dict[str, Decimal | None]:
    return {line.item.what: line.amount for line in found.lines}


@given(specs)
def test_the_sum_is_the_sum_of_the_lines_that_are_shown(spec: Spec) -> None:
    found = bill(spec, TABLE)
    assert found.total == sum(line.amount for line in found.lines if line.amount is not None)
    assert found.unknown == sum(line.amount is None for line in found.lines)


@given(specs)
def test_nothing_that_is_paid_for_is_free(spec: Spec) -> None:
    for line in bill(spec, TABLE).lines:
        assert line.item.quantity > 0
        assert line.amount is None or line.amount > 0


@given(specs)
def test_without_a_table_everything_is_unknown(spec: Spec) -> None:
    found = bill(spec, EMPTY)
    assert found.unknown == len(found.lines)


@given(specs, st.integers(1, 5))
def test_more_hosts_cost_more_and_each_brings_a_disk_and_an_address(spec: Spec, more: int) -> None:
    larger = Spec(spec.region, Hosts(spec.hosts.size, spec.hosts.count + more), spec.database, spec.load_balancer)
    before = {item.what: item.quantity for item in items(spec, Usage())}
    after = {item.what: item.quantity for item in items(larger, Usage())}
    for what in (f"Hosts: {spec.hosts.size}", "Their disks, 20 GB each", "Their public IPv4 addresses"):
        assert after[what] * spec.hosts.count == before[what] * (spec.hosts.count + more)


def test_one_host_by_hand() -> None:
    found = bill(Spec("us-east-1"), TABLE)
    assert amounts(found) == {
        "Hosts: t4g.small": Decimal("12.26"),  # 730 x 0.0168
        "Their disks, 20 GB each": Decimal("1.60"),  # 20 x 0.08
        "Their public IPv4 addresses": Decimal("3.65"),  # 730 x 0.005
        "Store (S3), 5 GB": Decimal("0.12"),  # 5 x 0.023, rounded up
        "Its requests, by the hosts": Decimal("0.11"),  # 262,800 at 0.0004 a thousand
    }
    assert found.total == Decimal("17.74")


def test_two_hosts_behind_a_load_balancer_with_a_database_by_hand() -> None:
    found = bill(Spec("us-east-1", Hosts("t4g.small", 2), Database(), load_balancer=True), TABLE)
    assert amounts(found) == {
        "Hosts: t4g.small": Decimal("24.53"),
        "Their disks, 20 GB each": Decimal("3.20"),
        "Their public IPv4 addresses": Decimal("7.30"),
        "Load balancer (ALB)": Decimal("16.43"),  # 730 x 0.0225
        "Its capacity units, for traffic": Decimal("0.58"),  # 73 x 0.008
        "Its public IPv4 addresses, 2 zones": Decimal("7.30"),
        "PostgreSQL (RDS): db.t4g.micro": Decimal("11.68"),  # 730 x 0.016
        "Its storage, 20 GB": Decimal("2.30"),  # 20 x 0.115
        "Its password in Secrets Manager": Decimal("0.40"),
        "Store (S3), 5 GB": Decimal("0.12"),
        "Its requests, by the hosts": Decimal("0.21"),
        "Traffic between zones": Decimal("0.10"),  # 5 GB, paid for both ways
    }
    assert found.total == Decimal("74.15")
