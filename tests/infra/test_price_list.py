"""What the AWS Price List answers becomes prices of ours; what could mean several things becomes none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from infra import prices
from infra.price_list import QUESTIONS, Found, Question, read, sized, table, used
from infra.sizes import HOSTS
from tests.infra.price_list_server import product

ALB = Question("AWSELB", {}, used("LoadBalancerUsage", "alb"))


def answers(*products: dict[str, Any]) -> list[str]:
    return [json.dumps(one) for one in products]


@pytest.mark.parametrize(
    ("usage", "is_it"),
    [
        ("LoadBalancerUsage", True),
        ("EUC1-LoadBalancerUsage", True),
        ("EU-LoadBalancerUsage", True),
        ("TS-LoadBalancerUsage", False),
        ("EUC1-TS-LoadBalancerUsage", False),
        ("EUC1-Outposts-LoadBalancerUsage", False),
        ("LoadBalancerUsageElse", False),
    ],
)
def test_a_usage_type_is_known_with_and_without_a_region_before_it(usage: str, is_it: bool) -> None:
    found = list(read(ALB, answers(product("AWSELB", usage, {"0": "0.0270000000"}))))
    assert found == ([Found("alb", Decimal("0.0270000000"), "AWSELB", "2026-11-20")] if is_it else [])


def test_the_first_step_counts_and_what_is_free_has_no_price() -> None:
    question = Question("AWSDataTransfer", {}, used("DataTransfer-Out-Bytes", "data-out"))
    steps = {"0": "0.0900000000", "10240": "0.0850000000"}
    free = product("AWSDataTransfer", "DataTransfer-Out-Bytes", {"0": "0.0000000000"})
    [found] = read(question, answers(product("AWSDataTransfer", "DataTransfer-Out-Bytes", steps), free))
    assert found.usd == Decimal("0.09")


def test_several_prices_for_one_key_are_none_and_the_same_price_twice_is_one() -> None:
    one, same = (product("AWSELB", "LoadBalancerUsage", {"0": "0.02"}) for _ in range(2))
    other = product("AWSELB", "LoadBalancerUsage", {"0": "0.03"})
    assert len(list(read(ALB, answers(one, same)))) == 1
    assert list(read(ALB, answers(one, same, other))) == []


def test_sizes_that_deployer_does_not_know_are_left_out() -> None:
    question = Question("AmazonEC2", {}, sized("ec2", HOSTS))
    known = product("AmazonEC2", "BoxUsage:t4g.small", {"0": "0.0168"}, instanceType="t4g.small")
    unknown = product("AmazonEC2", "BoxUsage:p5.48xlarge", {"0": "55.04"}, instanceType="p5.48xlarge")
    assert [found.key for found in read(question, answers(known, unknown))] == ["ec2/t4g.small"]


def test_a_price_for_one_request_becomes_one_for_a_thousand() -> None:
    [question] = [one for one in QUESTIONS if one.units == 1000 and one.key({"usagetype": "Requests-Tier2"})]
    [found] = read(question, answers(product("AmazonS3", "EUC1-Requests-Tier2", {"0": "0.0000004300"})))
    assert (found.key, found.usd.normalize()) == ("s3/get", Decimal("0.00043"))


def test_a_new_table_keeps_what_it_does_not_know_anew() -> None:
    first = table("eu-central-1", [Found("alb", Decimal("0.027"), "AWSELB", "2026-11-01")])
    second = table("eu-west-1", [Found("alb", Decimal("0.0252"), "AWSELB", "2026-11-20")], first)
    third = table("eu-central-1", [Found("ipv4", Decimal("0.0050000"), "AmazonVPC", "2026-11-20")], second)
    found = prices.parse(json.dumps(third))
    assert {place: str(price.usd) for place, price in found.items()} == {
        ("eu-central-1", "alb"): "0.027",
        ("eu-central-1", "ipv4"): "0.005",
        ("eu-west-1", "alb"): "0.0252",
    }
    assert found["eu-central-1", "ipv4"].source == prices.Source("AWS Price List, AmazonVPC", "2026-11-20")
