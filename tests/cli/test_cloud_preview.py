"""What `up` would change, as a screen; and every word about failures between us and AWS."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import ModuleType

import pytest

from deployer.cli.cloud_preview import as_json, lines
from deployer.errors import aws, cloud, own_databases
from deployer.errors.base import Failure
from deployer.operations import prices
from deployer.operations.cloud_proposal import Proposal
from deployer.spaces.aws.domain import Domain, Zone
from infra.changes import Change, Field
from infra.spec import Budget, Database, Hosts, OwnDatabase, Spec

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
GROUP, POSTGRES = "deployer-production-hosts", "RDS for PostgreSQL"
MORE = Change("update", "hosts", "Auto Scaling group", GROUP, (Field("desiredCapacity", "2", "4", replaces=False),))
FEWER = Change("update", "hosts", "Auto Scaling group", GROUP, (Field("desiredCapacity", "2", "1", replaces=False),))
CLASS = Field("instanceClass", "db.t4g.micro", "db.t4g.small", replaces=False)
STORAGE = Field("allocatedStorage", "20", "50", replaces=False)
DATABASE = Change("update", "database", POSTGRES, "deployer-production", (CLASS, STORAGE), (1, 20))
LOST = Change("delete", "database", POSTGRES, "deployer-production", (), (3, 10))
HTTPS = Change("create", "load-balancer", "listener", "https")
PLAIN = Change("delete", "load-balancer", "listener", "https")
RENAMED = Change(
    "replace",
    "load-balancer",
    "certificate",
    "certificate",
    (Field("domainName", "example.com", "example.org", replaces=True),),
)
NAMED = dataclasses.replace(TWO, domain="example.com", budget=None)
MOVED_ON = dataclasses.replace(NAMED, domain="example.org")
ZONE = Zone("Z0123", "example.com", ("ns-1.awsdns-01.org", "ns-2.awsdns-02.com"))
ELSEWHERE, HERE = Domain("example.com", None), Domain("example.com", ZONE)
PROVED = dataclasses.replace(ELSEWHERE, status="ISSUED")
WITH_OWN = TWO.having(OwnDatabase("postgresql-flat-12345", "db.t4g.medium", 64, app="my-shop"))
OWN = Change("create", "database", POSTGRES, "deployerdb-production-0a1b2c3d", (), (5, 10))
LARGER_DATABASE = dataclasses.replace(TWO, database=Database("db.t4g.small", 50))


def sized(count: int) -> Spec:
    return dataclasses.replace(TWO, hosts=Hosts("t4g.medium", count))


SCREENS = {
    "new": Proposal("production", ACCOUNT, None, ONE, None),
    "larger": Proposal("production", ACCOUNT, ONE, TWO, (LARGER, GONE, NEW)),
    "replaced": Proposal("production", ACCOUNT, ONE, dataclasses.replace(ONE, network="10.65.0.0/16"), (MOVED,)),
    "nothing": Proposal("production", ACCOUNT, ONE, ONE, ()),
    "more-hosts": Proposal("production", ACCOUNT, TWO, sized(4), (MORE,)),
    "fewer-hosts": Proposal("production", ACCOUNT, TWO, sized(1), (FEWER,)),
    "database": Proposal("production", ACCOUNT, TWO, LARGER_DATABASE, (DATABASE,)),
    "database-lost": Proposal("production", ACCOUNT, TWO, dataclasses.replace(TWO, database=None), (LOST,)),
    "domain-elsewhere": Proposal("production", ACCOUNT, None, NAMED, None, ELSEWHERE),
    "domain-here": Proposal("production", ACCOUNT, None, NAMED, None, HERE),
    "domain-of-one-host": Proposal(
        "production", ACCOUNT, None, dataclasses.replace(ONE, domain="example.com"), None, HERE
    ),
    "https": Proposal("production", ACCOUNT, NAMED, NAMED, (HTTPS,), PROVED),
    "another-domain": Proposal("production", ACCOUNT, NAMED, MOVED_ON, (RENAMED, PLAIN), Domain("example.org", None)),
    "own-database": Proposal("production", ACCOUNT, TWO, WITH_OWN, (OWN,)),
    "own-database-gone": Proposal("production", ACCOUNT, WITH_OWN, TWO, (dataclasses.replace(OWN, verb="delete"),)),
    "own-database-lost": Proposal(
        "production", ACCOUNT, WITH_OWN, TWO, (dataclasses.replace(OWN, verb="delete"),), keep=False
    ),
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
    "user": "ana",
    "host": "laptop-2",
    "pid": 8,
    "command": "deployer up",
    "seconds": 55,
    "since": "2026-11-25T08:00:00Z",
    "name": "AWS_ENDPOINT_URL",
    "value": "http://127.0.0.1:4566",
    "what": "The pulumi command",
    "left": "VPC vpc-0123",
    "minutes": "15",
    "folder": "./production",
    "running": "17.4",
    "asked": 16,
    "possible": "18",
    "there": "i-0123, i-0456",
    "plan": "heroku-postgresql:standard-0",
    "service": "heroku-postgresql",
    "known": "essential-0, essential-1, essential-2",
    "option": "--fork",
    "options": "--fork, --snapshot",
    "text": "2026-11-30T13:00:00Z",
    "earliest": "2026-11-23T13:00:00Z",
    "latest": "2026-11-30T12:55:00Z",
    "status": "creating",
    "app": "my-shop",
    "identifier": "deployerdb-production-0a1b2c3d-0a1b2c3",
    "names": "postgresql-flat-12345",
    "commands": "deployer addons:destroy postgresql-flat-12345 -a my-shop",
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


@pytest.mark.parametrize("noun", [aws, cloud, own_databases])
def test_the_words_of_failures(noun: ModuleType, golden: Golden) -> None:
    kinds = [kind for kind in vars(noun).values() if isinstance(kind, type) and kind.__module__ == noun.__name__]
    assert len(kinds) >= 12 and all(issubclass(kind, Failure) for kind in kinds)
    made = [kind(**{name: FACTS[name] for name in kind.FACTS}) for kind in kinds]
    golden(
        f"errors/{noun.__name__.rpartition('.')[2]}.txt",
        "\n".join(f"=== {type(one).__name__}\n{one}\n" for one in made),
    )
