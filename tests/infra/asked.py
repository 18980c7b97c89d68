"""What AWS would ask IAM about a call that was seen in the emulator: authorization.py, for real parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.spaces.aws.scope import LISTED
from infra.actions import action_of, prefix_of
from tests.infra.authorization import HERE, RESOURCES, TAG, WRITES, Asked, Space
from tests.infra.moto_here import ACCOUNT, REGION
from tests.infra.seen import Seen

FREE = {"sts:GetCallerIdentity"}  # needs no permission (AWS STS API Reference)
# Beside infra/actions.py, by the same sources: versions are deleted here, and ownership as the provider takes it away.
RENAMED = {
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
}
# moto has no endpoints of Instance Connect: network interfaces stand for them, which are made, deleted and looked up by
# their ids for nothing else (tests/infra/standin/walls.py).
STOOD_FOR = {
    "ec2:CreateNetworkInterface": "ec2:CreateInstanceConnectEndpoint",
    "ec2:DeleteNetworkInterface": "ec2:DeleteInstanceConnectEndpoint",
    "ec2:DescribeNetworkInterfaces": "ec2:DescribeInstanceConnectEndpoints",
}
# Asked as well where the call gives tags, or names what else it uses: AWS's guides to each service.
TAGGING = {
    "acm:RequestCertificate": "acm:AddTagsToCertificate",
    "autoscaling:CreateAutoScalingGroup": "autoscaling:CreateOrUpdateTags",
    "elasticloadbalancing:CreateListener": "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateLoadBalancer": "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateTargetGroup": "elasticloadbalancing:AddTags",
    "iam:CreateInstanceProfile": "iam:TagInstanceProfile",
    "iam:CreateRole": "iam:TagRole",
    "rds:CreateDBInstance": "rds:AddTagsToResource",
    "rds:CreateDBParameterGroup": "rds:AddTagsToResource",
    "rds:CreateDBSubnetGroup": "rds:AddTagsToResource",
    "rds:RestoreDBInstanceFromDBSnapshot": "rds:AddTagsToResource",
    "rds:RestoreDBInstanceToPointInTime": "rds:AddTagsToResource",
    "ssm:PutParameter": "ssm:AddTagsToResource",
}
ALSO = {
    "LaunchTemplate": ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    "ManageMasterUserPassword": ("secretsmanager:CreateSecret", "secretsmanager:TagResource", "kms:DescribeKey"),
    "FinalDBSnapshotIdentifier": ("rds:CreateDBSnapshot",),
}


def asked(call: Seen, space: Space) -> Iterator[Asked]:
    """The questions about a call of somebody who works on a space."""
    service = prefix_of(call.service)
    plain = f"{service}:{call.operation}"
    action = STOOD_FOR.get(plain, plain) if "Filters" not in call.params else plain
    action = RENAMED.get(action) or action_of(*action.split(":"))
    if action in FREE:
        return
    named = _named(service, call.params)
    if action == "iam:CreateRole":
        yield Asked(action, named["role"], {"iam:PermissionsBoundary": call.params.get("PermissionsBoundary", "")})
        yield from _all(space, TAGGING[action], named)
        return
    if service == "ec2" and action in WRITES:
        yield from _of_ec2(action, call.params, space)
        return
    if service in LISTED and action not in WRITES:
        yield Asked(action, context=HERE)
        return
    yield from _all(space, action, named)
    if "Tags" in call.params and action in TAGGING:
        yield from _all(space, TAGGING[action], named)
    for word, actions in ALSO.items():
        if call.params.get(word):
            for one in actions:
                yield from _all(space, one, named)


def _all(space: Space, action: str, named: Mapping[str, str]) -> Iterator[Asked]:
    """Of a thing that a call names, only that; else one of the space's of each type that the action is about."""
    kinds = {kind.rstrip("?") for kind in RESOURCES[action]}
    for one in space.asks(action, named=named):
        if not named.keys() & kinds or one.resource in named.values():
            yield one


def _of_ec2(action: str, params: Mapping[str, Any], space: Space) -> Iterator[Asked]:
    """New things have the tags that the call gives them, and none else; to tag them is asked for as well."""
    given = [*params.get("Tags", []), *(tag for one in params.get("TagSpecifications", []) for tag in one["Tags"])]
    tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in given if "Value" in tag}
    for one in space.asks(action):
        is_new = f"aws:RequestTag/{TAG}" in one.context and f"aws:ResourceTag/{TAG}" not in one.context
        context = {key: value for key, value in one.context.items() if not key.startswith("aws:RequestTag")}
        yield Asked(action, one.resource, {**context, **(tags if is_new or action.endswith("Tags") else {})})
        if is_new and tags:
            created = {**context, **tags, "ec2:CreateAction": action.partition(":")[2]}
            yield Asked("ec2:CreateTags", one.resource, created)


def _named(service: str, params: Mapping[str, Any]) -> dict[str, str]:
    """The ARNs, by the type, of what a call names."""
    build = {
        "autoscaling": _groups,
        "budgets": _budgets,
        "elasticloadbalancing": _balancers,
        "iam": _roles,
        "route53": _zones,
        "rds": _databases,
        "s3": _objects,
        "ssm": _parameters,
    }.get(service)
    return dict(build(params)) if build else {}


Pairs = Iterator[tuple[str, str]]


def _arn(service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"


def _groups(params: Mapping[str, Any]) -> Pairs:
    names = [params.get("AutoScalingGroupName"), *(tag.get("ResourceId") for tag in params.get("Tags", []))]
    for name in filter(None, names):
        yield "autoScalingGroup", _arn("autoscaling", f"autoScalingGroup:4d-8f:autoScalingGroupName/{name}")


def _budgets(params: Mapping[str, Any]) -> Pairs:
    name = params.get("BudgetName") or params.get("Budget", {}).get("BudgetName") or "*"
    yield "budget", f"arn:aws:budgets::{ACCOUNT}:budget/{name}"


def _balancers(params: Mapping[str, Any]) -> Pairs:
    """ARNs are given; a new one's has the name that is given."""
    given = [params.get(f"{one}Arn") for one in ("LoadBalancer", "TargetGroup", "Listener")]
    for arn in filter(None, [*given, *params.get("ResourceArns", [])]):
        kind = arn.rpartition(":")[2].partition("/")[0]
        for one in {"loadbalancer": ("loadbalancer", "loadbalancer/app/"), "listener": ("listener/app",)}.get(
            kind, (kind,)
        ):
            yield one, arn
    if "Name" in params:
        kind = "loadbalancer/app" if "Subnets" in params else "targetgroup"
        yield kind.partition("/")[0], _arn("elasticloadbalancing", f"{kind}/{params['Name']}/0123456789abcdef")


def _roles(params: Mapping[str, Any]) -> Pairs:
    path = params.get("Path", "/deployer/")
    if "PolicyArn" in params:
        yield "policy", params["PolicyArn"]
    for kind, word in (("role", "RoleName"), ("instance-profile", "InstanceProfileName")):
        if word in params:
            yield kind, f"arn:aws:iam::{ACCOUNT}:{kind}{path}{params[word]}"


def _zones(params: Mapping[str, Any]) -> Pairs:
    if zone := params.get("HostedZoneId") or params.get("Id"):
        yield "hostedzone", f"arn:aws:route53:::hostedzone/{zone}"


def _databases(params: Mapping[str, Any]) -> Pairs:
    words = {
        "DBInstanceIdentifier": "db",
        "DBSubnetGroupName": "subgrp",
        "DBParameterGroupName": "pg",
        "FinalDBSnapshotIdentifier": "snapshot",
        "DBSnapshotIdentifier": "snapshot",
        "TargetDBInstanceIdentifier": "db",
    }
    for word, kind in words.items():
        if word in params:
            yield kind, _arn("rds", f"{kind}:{params[word]}")
    if "Engine" in params:
        yield "og", _arn("rds", f"og:default:{params['Engine']}-{params['EngineVersion']}")
    if "ResourceName" in params:
        yield params["ResourceName"].split(":")[5], params["ResourceName"]


def _objects(params: Mapping[str, Any]) -> Pairs:
    if bucket := params.get("Bucket"):
        yield "bucket", f"arn:aws:s3:::{bucket}"
        several = params.get("Delete", {}).get("Objects", [{}])
        if key := params.get("Key") or several[0].get("Key"):
            yield "object", f"arn:aws:s3:::{bucket}/{key}"


def _parameters(params: Mapping[str, Any]) -> Pairs:
    account = "" if params["Name"].startswith("/aws/") else ACCOUNT  # AWS's own are in no account
    yield "parameter", f"arn:aws:ssm:{REGION}:{account}:parameter{params['Name']}"
