"""The tables of prices that come with deployer: each price has a source and a date, or is not there."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from deployer.model.formation import SIZES
from infra import prices
from infra.bill import Usage, items
from infra.regions import DEFAULT, REGIONS
from infra.sizes import DATABASES, HOSTS
from infra.spec import Database, Hosts, Spec

DATE = re.compile(r"(before )?20\d\d(-\d\d(-\d\d)?)?")
KEYS = {
    *(f"ec2/{size}" for size in HOSTS),
    *(f"rds/{size}" for size in DATABASES),
    *("ebs/gp3", "ebs/snapshot", "ipv4", "alb", "alb/lcu", "rds/storage", "rds/backup", "rds/cpu-credit", "secret"),
    *("s3/storage", "s3/put", "s3/get", "data-out", "between-zones"),
}


@pytest.mark.parametrize("path", prices.shipped(), ids=lambda path: path.name)
def test_every_price_has_a_source_with_a_date(path: Path) -> None:
    found = prices.parse(path.read_text())
    assert found
    for price in found.values():
        assert price.usd > 0
        assert price.source.title
        assert DATE.fullmatch(price.source.date)


@pytest.mark.parametrize("path", prices.shipped(), ids=lambda path: path.name)
def test_every_source_is_used(path: Path) -> None:
    data = json.loads(path.read_text())
    assert {source for table in data["prices"].values() for _, source in table.values()} == set(data["sources"])


def test_prices_of_aws_are_of_its_regions_and_of_what_is_paid_for() -> None:
    for region, key in prices.parse((prices.DATA / "aws.json").read_text()):
        assert region in REGIONS
        assert key in KEYS


def test_the_default_region_knows_every_host_and_all_that_three_sizes_need() -> None:
    table = prices.load(prices.shipped())
    assert not [size for size in HOSTS if table.find(DEFAULT, f"ec2/{size}") is None]
    largest = Spec(DEFAULT, Hosts("t4g.small", 2), Database(), load_balancer=True)
    assert not [item.key for item in items(largest, Usage()) if table.find(DEFAULT, item.key) is None]


def test_every_dyno_size_has_a_price_on_heroku() -> None:
    table = prices.load(prices.shipped())
    assert not [size.name for size in SIZES.values() if table.find(prices.HEROKU, f"dyno/{size.name}") is None]


def test_a_later_table_wins_and_one_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    newer = tmp_path / "prices.json"
    newer.write_text(
        '{"sources": {"a": {"title": "AWS", "date": "2026-11-25"}}, "prices": {"us-east-1": {"alb": ["9.5", "a"]}}}'
    )
    table = prices.load((*prices.shipped(), newer, tmp_path / "missing.json"))
    found = table.find("us-east-1", "alb")
    assert found == prices.Price(Decimal("9.5"), prices.Source("AWS", "2026-11-25"))
    assert table.find("us-east-1", "alb/lcu") is not None
    assert table.find("us-east-1", "no-such-thing") is None
