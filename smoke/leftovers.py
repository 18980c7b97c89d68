"""What runs have left in AWS, in whatever state: found by tag, by names that carry the space's, and by parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import PATH, TAG, Left, left, pages
from infra.names import PREFIX
from smoke import ends, records
from smoke.rungs import PREFIX as SMOKE

NAME = re.compile(rf"{SMOKE}[0-9a-f]{{6}}")  # a space of somebody's own may be called smoke-test
SPACE = re.compile(rf"(?:^|[/:]){PREFIX}[-/]({NAME.pattern})(?=[-/]|$)")
STATE, PARAMETER, RECORD = "state bucket", "parameter", "Route 53 record"
# Things whose names have the space's in them: service, call, the key of the answer, and that of the name.
NAMED = (
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
    ("rds", "describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
)


def spaces(account: Account) -> dict[str, list[Left]]:
    """The spaces of runs that AWS has something of, and what."""
    with asking():
        named = sorted({*_by_tag(account), *_by_name(account)})
    return {space: found for space in named if (found := of(account, space))}


def of(account: Account, space: str) -> list[Left]:
    """All that AWS has of one: what carries its tag, its records of DNS, what `up` begins with, and its ends."""
    carrying = left(account, space)
    with asking():
        names = [record["Name"] for _, record in records.find(account, space)]
        dns = [Left(RECORD, one) for one in names]
        return [*carrying, *dns, *_state(account, space), *ends.look(account, space)]


def _state(account: Account, space: str) -> Iterator[Left]:
    for one in account.client("s3").list_buckets()["Buckets"]:
        if re.fullmatch(rf"{PREFIX}-{space}-state-[0-9a-f]{{6}}", one["Name"]):
            yield Left(STATE, one["Name"])
    for name in _parameters(account, f"/{PREFIX}/{space}/"):
        yield Left(PARAMETER, name)


def _parameters(account: Account, begin: str) -> list[str]:
    wanted = [{"Key": "Name", "Option": "BeginsWith", "Values": [begin]}]
    return [
        one["Name"]
        for one in pages(account.client("ssm"), "describe_parameters", "Parameters", ParameterFilters=wanted)
    ]


def _by_tag(account: Account) -> Iterator[str]:
    """EC2 also names what is gone since minutes."""
    mine = [{"Name": "key", "Values": [TAG]}]
    for one in pages(account.client("ec2"), "describe_tags", "Tags", Filters=mine):
        if NAME.fullmatch(one["Value"]):
            yield one["Value"]
    acm = account.client("acm")
    for one in pages(acm, "list_certificates", "CertificateSummaryList"):
        for tag in acm.list_tags_for_certificate(CertificateArn=one["CertificateArn"])["Tags"]:
            if tag["Key"] == TAG and NAME.fullmatch(tag["Value"]):
                yield tag["Value"]


def _by_name(account: Account) -> Iterator[str]:
    names = [one[name] for service, call, key, name in NAMED for one in pages(account.client(service), call, key)]
    iam = account.client("iam")
    names += [one["RoleName"] for one in pages(iam, "list_roles", "Roles", PathPrefix=PATH)]
    profiles = pages(iam, "list_instance_profiles", "InstanceProfiles", PathPrefix=PATH)
    names += [one["InstanceProfileName"] for one in profiles]
    names += [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    names += _parameters(account, f"/{PREFIX}/{SMOKE}")
    yield from (found[1] for name in names if (found := SPACE.search(name)))
