"""What AWS asks IAM about a call: each action, the thing that it is about, and what the request says.

Facts: authorization.json. For a call of boto3 the things come from its parameters where they have names, and are `the
space's own` where they have ids, since everything that the program makes carries the space's tag
(tests/infra/test_program.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.policies import boundary
from tests.infra.moto_here import ACCOUNT, REGION

FACTS = json.loads((Path(__file__).parent / "authorization.json").read_text())
WRITES = {f"{service}:{name}" for service, names in FACTS["writes"].items() for name in names.split()}
RESOURCES: dict[str, dict[str, str]] = FACTS["resources"]
TAG = "deployer:space"
UNTAGGED = ("network-interface", "image")
HERE = {"aws:RequestedRegion": REGION}


@dataclass(frozen=True)
class Asked:
    """One question to IAM."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Space:
    """A space with the names that Pulumi and AWS have given its things: `seven` random digits."""

    name: str
    seven: str = "0a1b2c3"

    def arn(self, service: str, what: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"

    def things(self) -> dict[str, str]:
        """The ARN of one of each type."""
        named, six, iam = f"deployer-{self.name}", self.seven[:6], f"arn:aws:iam::{ACCOUNT}:"
        bucket = f"arn:aws:s3:::{named}-store-{self.seven}"
        front = f"app/{named}-{self.seven}/50dc6c495c0c9188"
        return {
            "autoScalingGroup": self.arn(
                "autoscaling", f"autoScalingGroup:4d-8f:autoScalingGroupName/{named}-hosts-{self.seven}"
            ),
            "bucket": bucket,
            "budget": f"arn:aws:budgets::{ACCOUNT}:budget/{named}-{self.seven}",
            "certificate": self.arn("acm", "certificate/12345678-1234"),
            "db": self.arn("rds", f"db:{named}-{self.seven}"),
            "instance-profile": f"{iam}instance-profile/deployer/{named}-host-{self.seven}",
            "key": self.arn("kms", "key/1234"),
            "listener/app": self.arn("elasticloadbalancing", f"listener/{front}/f2f7dc8efc522ab2"),
            "loadbalancer": self.arn("elasticloadbalancing", f"loadbalancer/{front}"),
            "loadbalancer/app/": self.arn("elasticloadbalancing", f"loadbalancer/{front}"),
            "object": f"{bucket}/space",
            "parameter": self.arn("ssm", f"parameter/deployer/{self.name}/state"),
            "pg": self.arn("rds", f"pg:{named}-postgres17-{self.seven}"),
            "hostedzone": "arn:aws:route53:::hostedzone/Z0123456789",
            "policy": boundary(ACCOUNT, self.name),
            "role": f"{iam}role/deployer/{named}-host-{self.seven}",
            "Secret": self.arn("secretsmanager", "secret:rds!db-0a1b-2c3d-AbCdEf"),
            "snapshot": self.arn("rds", f"snapshot:{named}-20261130-021500"),
            "own db": self.arn("rds", f"db:deployerdb-{self.name}-0a1b2c3d-{self.seven}"),
            "own snapshot": self.arn("rds", f"snapshot:deployerdb-{self.name}-0a1b2c3d-{self.seven}"),
            "state bucket": f"arn:aws:s3:::{named}-state-{six}",
            "subgrp": self.arn("rds", f"subgrp:{named}-database-{self.seven}"),
            "targetgroup": self.arn("elasticloadbalancing", f"targetgroup/{named}-{self.seven}/73e2d6bc24d8a067"),
        }

    def asks(self, action: str, *, named: Mapping[str, str] | None = None) -> Iterator[Asked]:
        """What is asked when the action is done to a thing of the space's; `named` are ARNs of things by their type, in
        the place of examples."""
        service, things = action.partition(":")[0], {**self.things(), **(named or {})}
        for kind, tags in ((kind.rstrip("?"), tags) for kind, tags in RESOURCES[action].items()):
            if service == "ec2":
                if kind not in UNTAGGED or not action.endswith("Tags"):
                    yield self._of_ec2(action, kind, tags)
            elif kind in things:
                yield Asked(action, things[kind], self._context(action))
        if not RESOURCES[action]:
            yield Asked(action, "*", self._context(action))

    def _of_ec2(self, action: str, kind: str, tags: str) -> Asked:
        account = "" if kind == "image" else ACCOUNT
        resource = f"arn:aws:ec2:{REGION}:{account}:{kind}/{kind}-0123"
        context = {} if kind in UNTAGGED else {f"aws:{one}/{TAG}": self.name for one in tags.split()}
        return Asked(action, resource, {**HERE, **context})

    def _context(self, action: str) -> dict[str, str]:
        """Of what is neither known by its name nor made by EC2, and of roles."""
        special = {
            "acm": {f"aws:{'Request' if action in NEW else 'Resource'}Tag/{TAG}": self.name},
            "ec2-instance-connect": {
                f"aws:ResourceTag/{TAG}": self.name,
                "ec2-instance-connect:remotePort": "22",
            },
        }
        bounded = {"iam:PermissionsBoundary": boundary(ACCOUNT, self.name)}
        roles = {
            "iam:CreateRole": bounded,
            "iam:PutRolePermissionsBoundary": bounded,
            "iam:PutRolePolicy": bounded,
            "iam:PassRole": {"iam:PassedToService": "ec2.amazonaws.com"},
            "iam:CreateServiceLinkedRole": {"iam:AWSServiceName": "rds.amazonaws.com"},
        }
        return {**HERE, **special.get(action.partition(":")[0], {}), **roles.get(action, {})}


NEW = {"acm:RequestCertificate", "acm:AddTagsToCertificate"}
