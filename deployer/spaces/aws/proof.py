"""Proof that nothing of a space is left: asked of each service, by the tag that everything carries.

The tagging API also names what is gone since minutes, and knows neither IAM nor groups: each service says itself what
it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deployer.spaces.aws.account import Account, asking, unless
from infra.names import OWN, PREFIX

TAG = "deployer:space"
PATH = "/deployer/"
POLL = 10.0  # seconds between two looks
GONE = ("terminated", "shutting-down", "deleted", "delete-complete")
UNTAGGED = ("NoSuchTagSet", "NoSuchBucket")


@dataclass(frozen=True, slots=True)
class Left:
    """Something of a space that AWS has. One that is `kept` is a snapshot of the database, of so many GB."""

    kind: str
    name: str
    kept: bool = False
    gigabytes: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Look = Callable[[Account, str], Iterator[Left]]


def left(account: Account, space: str, also: Iterable[Look] = ()) -> list[Left]:
    """Everything of the space, but for what `bootstrap` made; `also` look for what carries no tag."""
    with asking():
        return [one for look in (*LOOKS, *also) for one in look(account, space)]


def wait_until_gone(
    account: Account,
    space: str,
    patience: float,
    sleep: Callable[[float], None] = time.sleep,
    also: Iterable[Look] = (),
) -> list[Left]:
    """What is left when nothing is, but what is kept, or after `patience` seconds: AWS takes its time to forget."""
    end = time.monotonic() + patience
    while True:
        found = left(account, space, also)
        if all(one.kept for one in found) or time.monotonic() >= end:
            return found
        sleep(min(POLL, max(0.0, end - time.monotonic())))


def _of_ec2(account: Account, space: str) -> Iterator[Left]:
    """Each kind is asked for: EC2's list of all tags still has those of what is gone."""
    ec2, mine = account.client("ec2"), [{"Name": f"tag:{TAG}", "Values": [space]}]
    for kind, (call, key, name) in EC2.items():
        for one in pages(ec2, call, key, Filters=mine):
            if carries(one.get("Tags") or one.get("TagSet") or [], space) and one.get("State") not in GONE:
                yield Left(kind, one[name])
    for each in pages(ec2, "describe_instances", "Reservations", Filters=mine):
        for one in each["Instances"]:
            if one["State"]["Name"] not in GONE:
                yield Left("instance", one["InstanceId"])
    for one in ec2.describe_addresses(Filters=mine)["Addresses"]:
        yield Left("Elastic IP", one["PublicIp"])


def _groups(account: Account, space: str) -> Iterator[Left]:
    found = pages(account.client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups")
    for one in found:
        if carries(one["Tags"], space):
            yield Left("Auto Scaling group", one["AutoScalingGroupName"])


def _balancers(account: Account, space: str) -> Iterator[Left]:
    client = account.client("elbv2")
    kinds = {
        "load balancer": ("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        "target group": ("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    }
    for kind, (call, key, name) in kinds.items():
        for one in pages(client, call, key):
            tags = client.describe_tags(ResourceArns=[one[name]])["TagDescriptions"][0]["Tags"]
            if carries(tags, space):
                yield Left(kind, one[name])


def _databases(account: Account, space: str) -> Iterator[Left]:
    client = account.client("rds")
    kinds = {
        "database": ("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        "subnet group": ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
        "parameter group": ("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
    }
    for kind, (call, key, name) in kinds.items():
        for one in pages(client, call, key):
            if one[name].startswith((f"{PREFIX}-", f"{OWN}-")) and carries(_rds_tags(client, one, kind), space):
                yield Left(kind, one[name])
    for one in pages(client, "describe_db_snapshots", "DBSnapshots"):
        if carries(one.get("TagList") or [], space):
            kind = "automatic backup" if one.get("SnapshotType") == "automated" else "last snapshot"
            yield Left(kind, one["DBSnapshotIdentifier"], kept=True, gigabytes=one["AllocatedStorage"])


def _rds_tags(client: Any, one: dict[str, Any], kind: str) -> list[dict[str, str]]:
    arn = next(one[key] for key in ("DBInstanceArn", "DBSubnetGroupArn", "DBParameterGroupArn") if key in one)
    found: list[dict[str, str]] = client.list_tags_for_resource(ResourceName=arn)["TagList"]
    return found


def _certificates(account: Account, space: str) -> Iterator[Left]:
    client = account.client("acm")
    for one in pages(client, "list_certificates", "CertificateSummaryList"):
        tags = client.list_tags_for_certificate(CertificateArn=one["CertificateArn"])["Tags"]
        if carries(tags, space):
            yield Left("certificate", one["DomainName"])


def _roles(account: Account, space: str) -> Iterator[Left]:
    """Only below our own path: others' are not looked at."""
    client = account.client("iam")
    for one in pages(client, "list_roles", "Roles", PathPrefix=PATH):
        if carries(client.list_role_tags(RoleName=one["RoleName"])["Tags"], space):
            yield Left("role", one["RoleName"])
    for one in pages(client, "list_instance_profiles", "InstanceProfiles", PathPrefix=PATH):
        found = client.get_instance_profile(InstanceProfileName=one["InstanceProfileName"])["InstanceProfile"]
        if carries(found.get("Tags") or [], space):
            yield Left("instance profile", one["InstanceProfileName"])


def _buckets(account: Account, space: str) -> Iterator[Left]:
    """The store's; that of the state goes when all else is gone."""
    client = account.client("s3")
    for one in client.list_buckets()["Buckets"]:
        if one["Name"].startswith(f"{PREFIX}-"):
            tags = _bucket_tags(client, one["Name"])
            if carries(tags, space) and {"Key": "deployer:noun", "Value": "state"} not in tags:
                yield Left("bucket", one["Name"])


def _bucket_tags(client: Any, bucket: str) -> list[dict[str, str]]:
    """None where somebody has made it without, or a bootstrap was cut off between the two; nor where it is gone."""
    found = unless(UNTAGGED, lambda: client.get_bucket_tagging(Bucket=bucket))
    return list(found["TagSet"]) if found else []


def _budgets(account: Account, space: str) -> Iterator[Left]:
    """A budget's name says whose it is: to ask for tags takes one more permission."""
    found = account.client("budgets").describe_budgets(AccountId=account.number()).get("Budgets", [])
    for one in found:
        if one["BudgetName"].rpartition("-")[0] == f"{PREFIX}-{space}":
            yield Left("budget", one["BudgetName"])


def carries(tags: Iterable[dict[str, str]], space: str) -> bool:
    """Whether these are the tags of something of the space."""
    return any((one["Key"], one["Value"]) == (TAG, space) for one in tags)


def pages(client: Any, call: str, key: str, **words: Any) -> Iterator[dict[str, Any]]:
    """What all pages of a call's answer have at `key`."""
    for page in client.get_paginator(call).paginate(**words):
        yield from page[key]


EC2 = {
    "VPC": ("describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "internet gateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "route table": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "VPC endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "EC2 Instance Connect Endpoint": (
        "describe_instance_connect_endpoints",
        "InstanceConnectEndpoints",
        "InstanceConnectEndpointId",
    ),
    "network interface": ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "launch template": ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
    "volume": ("describe_volumes", "Volumes", "VolumeId"),
}
LOOKS: tuple[Look, ...] = (
    _of_ec2,
    _groups,
    _balancers,
    _databases,
    _certificates,
    _roles,
    _buckets,
    _budgets,
)
