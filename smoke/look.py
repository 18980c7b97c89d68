"""What AWS and Pulumi have of a space: looked at, and never changed."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from deployer.spaces.aws import bootstrap
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import left
from deployer.spaces.aws.pulumi_lock import STATES
from infra.changes import place
from infra.engine import PROJECT

ALIVE = ("pending", "running")


def ids(account: Account, space: str) -> dict[str, dict[str, str]]:
    """Pulumi's id of each thing by noun: `{"network": {"aws:ec2/vpc:Vpc vpc": "vpc-..."}}`. Only ids: what else the
    state says may be secret."""
    with asking():
        state = bootstrap.find(account, space)
        if state is None:
            return {}
        key = f"{STATES}/.pulumi/stacks/{PROJECT}/{space}.json"
        found = account.client("s3").get_object(Bucket=state.bucket, Key=key)["Body"].read()
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for one in json.loads(found)["checkpoint"]["latest"].get("resources", []):
        if one["type"].startswith("aws:") and "id" in one:
            noun, name = place(one["urn"])
            known[noun][f"{one['type']} {name}"] = one["id"]
    return {noun: dict(sorted(some.items())) for noun, some in sorted(known.items())}


def tagged(account: Account, space: str) -> dict[str, list[str]]:
    """What carries the space's tag, by kind, as each service tells."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in left(account, space):
        found[one.kind].append(one.name)
    return {kind: sorted(names) for kind, names in sorted(found.items())}


def hosts(account: Account, group: str) -> dict[str, str]:
    """The kind of each instance of the group that has not ended, by id."""
    names = list(states(account, group))
    if not names:
        return {}
    with asking():
        found = account.client("ec2").describe_instances(InstanceIds=names)["Reservations"]
    running = [one for each in found for one in each["Instances"] if one["State"]["Name"] in ALIVE]
    return {one["InstanceId"]: one["InstanceType"] for one in sorted(running, key=lambda one: str(one["InstanceId"]))}


def states(account: Account, group: str) -> dict[str, str]:
    """Where each instance of the group is in its life, in AWS's words; those left out that are about to go."""
    with asking():
        client = account.client("autoscaling")
        found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    every = [one for each in found for one in each["Instances"]]
    return {one["InstanceId"]: one["LifecycleState"] for one in every if not one["LifecycleState"].startswith("Term")}


def database(account: Account, space: str) -> dict[str, Any]:
    """What RDS says of the space's database that somebody could have wrong."""
    with asking():
        client = account.client("rds")
        found = client.describe_db_instances()["DBInstances"]
        [one] = [one for one in found if one["DBInstanceIdentifier"].startswith(f"deployer-{space}-")]
        subnets = [each["SubnetIdentifier"] for each in one["DBSubnetGroup"]["Subnets"]]
        tables = account.client("ec2").describe_route_tables(
            Filters=[{"Name": "association.subnet-id", "Values": subnets}]
        )["RouteTables"]
        parameters = client.get_paginator("describe_db_parameters").paginate(
            DBParameterGroupName=one["DBParameterGroups"][0]["DBParameterGroupName"], Source="user"
        )
        forced = [
            each for page in parameters for each in page["Parameters"] if each["ParameterName"] == "rds.force_ssl"
        ]
    gateways = [each for table in tables for each in table["Routes"] if str(each.get("GatewayId")).startswith("igw-")]
    return {
        "encrypted": bool(one["StorageEncrypted"]),
        "has no public address": not one["PubliclyAccessible"],
        "its subnets lead to no gateway": not gateways,
        "takes TLS alone": [each.get("ParameterValue") for each in forced] == ["1"],
        "protected from deletion": bool(one["DeletionProtection"]),
        "password kept by AWS": bool(one.get("MasterUserSecret")),
    }
