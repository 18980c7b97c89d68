"""What `up` would change, as a screen; and every word about failures between us and AWS."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from deployer.cli.cloud_preview import as_json, lines
from deployer.errors import cloud as errors
from deployer.errors.base import Failure
from deployer.operations import prices
from deployer.operations.cloud import Proposal
from infra.changes import Change, Field
from infra.spec import Budget, Database, Hosts, Spec

Golden = Callable[[str, str], None]
ACCOUNT = "123456789012"
ONE = Spec("us-east-1", account=ACCOUNT)
TWO = Spec("us-east-1", Hosts("t4g.medium", 2), Database(), load_balancer=True, budget=Budget(60, "me@example.com"))
LARGER = Change(
    "update",
    "hosts",
    "launch template",
    "deployer-production-host",
    (Field("instanceType", "t4g.small", "t4g.medium", replaces=False),),
)
NEW = Change("create", "load-balancer", "ALB", "deployer-production", (), (2, 3))
MOVED = Change(
    "replace", "network", "subnet", "public-a", (Field("cidrBlock", "10.64.0.0/19", "10.65.0.0/19", replaces=True),)
)
GONE = Change("delete", "hosts", "Elastic IP", "address")
SCREENS = {
    "new": Proposal("production", ACCOUNT, None, ONE, None),
    "larger": Proposal("production", ACCOUNT, ONE, TWO, (LARGER, GONE, NEW)),
    "replaced": Proposal("production", ACCOUNT, ONE, dataclasses.replace(ONE, network="10.65.0.0/16"), (MOVED,)),
    "nothing": Proposal("production", ACCOUNT, ONE, ONE, ()),
    "far": Proposal("production", ACCOUNT, None, dataclasses.replace(ONE, region="sa-east-1"), None),
}
FACTS = {
    "space": "production",
    "instead": "`deployer doctor` looks for what is wrong with its hosts.",
    "account": ACCOUNT,
    "region": "eu-central-1",
    "found": "999999999999",
    "wanted": ACCOUNT,
    "problems": "space.production.hosts.size: is none",
    "reason": "what AWS says",
    "call": "s3:CreateBucket",
    "code": "BucketAlreadyExists",
    "action": "s3:CreateBucket",
    "by": "A service control policy of the organization",
    "encoded": "qoYeuy5DNQMk",
    "quota": "the quota `Buckets`",
    "ask": "aws service-quotas request-service-quota-increase",
    "tries": 8,
    "name": "AWS_ENDPOINT_URL",
    "value": "http://127.0.0.1:4566",
    "what": "The pulumi command",
    "left": "VPC vpc-0123",
}


@pytest.mark.parametrize("case", SCREENS)
def test_what_would_change(case: str, golden: Golden) -> None:
    golden(f"cloud/preview-{case}.txt", "\n".join(lines(SCREENS[case], prices.load())) + "\n")


def test_json_has_the_changes_and_both_bills() -> None:
    found = as_json(SCREENS["larger"], prices.load())
    assert found["changes"] == [LARGER, GONE, NEW]
    assert (found["now"]["sum"], found["then"]["sum"]) == (17.74, 98.68)
    new = as_json(SCREENS["new"], prices.load())
    assert (new["changes"], new["now"]) == (None, None)


def test_the_words_of_failures(golden: Golden) -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    assert len(kinds) >= 15 and all(issubclass(kind, Failure) for kind in kinds)
    made = [kind(**{name: FACTS[name] for name in kind.FACTS}) for kind in kinds]
    golden("errors/cloud.txt", "\n".join(f"=== {type(one).__name__}\n{one}\n" for one in made))
