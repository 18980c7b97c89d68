"""What a policy of IAM is about: one space or all of deployer's, in an account, in a region.

What has a name is confined by it: names of a space's things end in a fixed number of random digits, so that a pattern
never fits those of another space. What has none (most of EC2, certificates) is confined by the tag `deployer:space`,
which everything carries from the call that makes it on. How ARNs are spelled: the Service Authorization Reference,
`Resource types` of each service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.names import ADDED, DIGEST, OWN, OWN_DIGITS, PREFIX, name, own_databases
from infra.policies import boundary
from infra.resources import IMAGES, MAJOR

Statement = dict[str, Any]
TAG = "deployer:space"
STATE_DIGITS = 6  # at the end of the state bucket's name (bootstrap)
ANY = "*"
ZONES = "arn:aws:route53:::hostedzone/*"  # of DNS: the account's, whatever their names
LISTED = ("acm", "autoscaling", "ec2", "elasticloadbalancing", "rds")  # services whose listings are of all or nothing


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a role holds; None is any."""

    space: str | None = None
    account: str | None = None
    region: str | None = None

    def arn(self, service: str, what: str) -> str:
        """Of things in the account and the region."""
        return f"arn:aws:{service}:{self.region or ANY}:{self.account or ANY}:{what}"

    def arn_everywhere(self, service: str, what: str) -> str:
        """Of things that are in no region."""
        return f"arn:aws:{service}::{self.account or ANY}:{what}"

    def named(self, kind: str, suffix: str = "", digits: int = ADDED - 1) -> str:
        """The pattern of the names of such things (infra.names)."""
        if self.space is None:
            return "-".join(filter(None, (PREFIX, ANY, suffix))) + ("-*" if suffix else "")
        return f"{name(self.space, kind, suffix)}-{'?' * digits}"

    def tagged(self, key: str) -> Statement:
        """A condition: the space's own. `key` is what has the tag, `aws:ResourceTag` or `aws:RequestTag`."""
        return {"StringEquals" if self.space else "StringLike": {f"{key}/{TAG}": self.space or ANY}}

    def there(self, condition: Statement) -> Statement:
        """A condition, and that it is in the region: for what no ARN confines."""
        where = {"aws:RequestedRegion": self.region} if self.region else {}
        return {**condition, "StringEquals": {**condition.get("StringEquals", {}), **where}} if where else condition

    @property
    def state(self) -> str:
        """The state bucket."""
        return f"arn:aws:s3:::{self.named('bucket', 'state', STATE_DIGITS)}"

    @property
    def store(self) -> str:
        """The bucket of the ledger."""
        return f"arn:aws:s3:::{self.named('bucket', 'store')}"

    def parameter(self, name: str) -> str:
        """Those that bootstrap makes: `state` says where the state is, `passphrase` what encrypts it."""
        return self.arn("ssm", f"parameter/{PREFIX}/{self.space or ANY}/{name}")

    @property
    def debian(self) -> str:
        """The public parameters with Debian's images; they are in no account."""
        return f"arn:aws:ssm:{self.region or ANY}::parameter{IMAGES.format(architecture=ANY)}"

    @property
    def images(self) -> str:
        """The images of EC2, which are in no account either."""
        return f"arn:aws:ec2:{self.region or ANY}::image/*"

    @property
    def roles(self) -> list[str]:
        """The role of the hosts, and its instance profile."""
        kinds = ("role", "instance-profile")
        return [self.arn_everywhere("iam", f"{kind}/{PREFIX}/{self.named(kind, 'host')}") for kind in kinds]

    @property
    def boundary(self) -> str:
        """The policy that says what the role may do at most: the space's own; any of deployer's for all spaces."""
        return boundary(self.account or ANY, self.space or ANY).replace("-*-", "-*")

    @property
    def below_path(self) -> list[str]:
        """The roles of all spaces, their profiles and their boundaries."""
        return [self.arn_everywhere("iam", f"{kind}/{PREFIX}/*") for kind in ("role", "instance-profile", "policy")]

    @property
    def group(self) -> str:
        """The Auto Scaling group."""
        return self.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{self.named('group', 'hosts')}")

    @property
    def balancers(self) -> str:
        """The load balancer with its listeners, and the target group, which has the same name."""
        return self.arn("elasticloadbalancing", f"*/{self.named('load-balancer')}/*")

    @property
    def databases(self) -> list[str]:
        """Its databases, their groups and their last snapshots; the group of options is AWS's own."""
        day, time = "?" * 8, "?" * 6
        own = (
            f"db:{self.named('database')}",
            f"*:{self._own}",
            f"subgrp:{self.named('subnet-group', 'database')}",
            f"pg:{self._any_major}",
            f"snapshot:{PREFIX}-{self.space}-{day}-{time}" if self.space else f"snapshot:{PREFIX}-*",
            "og:default:*",
        )
        return [self.arn("rds", one) for one in own]

    @property
    def _own(self) -> str:
        """The pattern of the names of instances that one add-on each has to itself, and of their last snapshots."""
        begin = own_databases(self.space) if self.space else f"{OWN}-{ANY}"
        return f"{begin}-{'?' * OWN_DIGITS}-{'?' * (ADDED - 1)}"

    @property
    def secrets(self) -> str:
        """What RDS keeps the passwords of masters in: their names say nothing of the database."""
        return self.arn("secretsmanager", "secret:rds!db-*")

    @property
    def of_database(self) -> Statement:
        """A condition: RDS has tagged it as that of a database of the space (RDS User Guide, `Password management with
        Secrets Manager`)."""
        databases = [self.arn("rds", one) for one in (f"db:{self.named('database')}", f"db:{self._own}")]
        return {"StringLike": {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": databases}}

    @property
    def _any_major(self) -> str:
        """The pattern of the names of parameter groups, which have PostgreSQL's version in them; so has the digest of
        a name that had to be changed."""
        of_this = self.named("parameter-group", f"postgres{MAJOR}")
        return re.sub(
            rf"postgres{MAJOR}(-[0-9a-f]{{{DIGEST}}})?", lambda found: "postgres??" + "?" * len(found[1] or ""), of_this
        )

    @property
    def budget(self) -> str:
        """The budget."""
        return self.arn_everywhere("budgets", f"budget/{self.named('budget')}")


def allow(sid: str, actions: Iterable[str], resources: Iterable[str], condition: Statement | None = None) -> Statement:
    """One statement of a policy."""
    found = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
    return {**found, "Condition": condition} if condition else found


def of(services: Iterable[str], actions: Iterable[str]) -> set[str]:
    """Those of some services."""
    return {one for one in actions if one.startswith(tuple(f"{service}:" for service in services))}
