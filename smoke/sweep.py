"""Deletes what is left of a run without Pulumi: thing by thing, in the order in which AWS lets them go.

For where the state is lost, or `deployer down` does not get to the end. What something still hangs on, or is on its
way out, is tried again in the next round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployer.spaces.aws import bootstrap
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.domain import certificates
from deployer.spaces.aws.proof import Left
from smoke import ends, leftovers, records
from smoke.place import Place

Delete = Callable[[Account, str, str], Any]
"""Deletes one thing, of an account and a space, by its name."""


def sweep(place: Place, space: str, say: Callable[[str], object]) -> list[Left]:
    """Delete all of it; what AWS still has when it takes too long."""
    account, told = place.account, dict[str, str]()

    def round_of() -> bool:
        for one in ordered(leftovers.of(account, space)):
            told[str(one)] = _deleted(account, space, one)
        return not leftovers.of(account, space)

    place.wait(round_of)
    there = leftovers.of(account, space)
    for one in there:
        say(f"{one}: {told.get(str(one)) or 'AWS still has it'}")
    return there


def ordered(found: list[Left]) -> list[Left]:
    """As they can be deleted; what nothing here deletes goes by itself with something else."""
    order = list(DELETES)
    return sorted((one for one in found if one.kind in DELETES), key=lambda one: order.index(one.kind))


def _deleted(account: Account, space: str, one: Left) -> str:
    """Try it; why AWS refuses."""
    from botocore.exceptions import ClientError

    try:
        DELETES[one.kind](account, space, one.name)
    except ClientError as error:
        return str(error)
    return ""


def _call(service: str, call: str, word: str, *, several: bool = False, **more: Any) -> Delete:
    """A deletion that is one call with the name."""

    def delete(account: Account, space: str, name: str) -> None:
        getattr(account.client(service), call)(**{word: [name] if several else name}, **more)

    return delete


def _database(account: Account, space: str, name: str) -> None:
    """No snapshot stays, and no backup."""
    rds = account.client("rds")
    [found] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    if found["DBInstanceStatus"] == "deleting":
        return
    if found["DeletionProtection"]:
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)


def _certificate(account: Account, space: str, domain: str) -> None:
    for one in [each for each in certificates(account, space) if each.domain == domain]:
        account.client("acm").delete_certificate(CertificateArn=one.arn)


def _address(account: Account, space: str, public: str) -> None:
    ec2 = account.client("ec2")
    for one in ec2.describe_addresses(PublicIps=[public])["Addresses"]:
        if "AssociationId" in one:
            ec2.disassociate_address(AssociationId=one["AssociationId"])
        ec2.release_address(AllocationId=one["AllocationId"])


def _walls(account: Account, space: str, name: str) -> None:
    """A security group: first its rules, since two groups may name each other."""
    ec2 = account.client("ec2")
    mine = [{"Name": "group-id", "Values": [name]}]
    for rule in ec2.describe_security_group_rules(Filters=mine)["SecurityGroupRules"]:
        if rule["GroupId"] == name:
            revoke = ec2.revoke_security_group_egress if rule["IsEgress"] else ec2.revoke_security_group_ingress
            revoke(GroupId=name, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    ec2.delete_security_group(GroupId=name)


def _routes(account: Account, space: str, name: str) -> None:
    ec2 = account.client("ec2")
    for table in ec2.describe_route_tables(RouteTableIds=[name])["RouteTables"]:
        for one in table["Associations"]:
            if not one.get("Main"):
                ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=name)


def _gateway(account: Account, space: str, name: str) -> None:
    ec2 = account.client("ec2")
    for found in ec2.describe_internet_gateways(InternetGatewayIds=[name])["InternetGateways"]:
        for one in found["Attachments"]:
            ec2.detach_internet_gateway(InternetGatewayId=name, VpcId=one["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=name)


def _profile(account: Account, space: str, name: str) -> None:
    iam = account.client("iam")
    for one in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=one["RoleName"])
    iam.delete_instance_profile(InstanceProfileName=name)


def _role(account: Account, space: str, name: str) -> None:
    iam = account.client("iam")
    for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=one)
    iam.delete_role(RoleName=name)


def _bucket(account: Account, space: str, name: str) -> None:
    bootstrap.empty(account, name)
    account.client("s3").delete_bucket(Bucket=name)


def _ends(account: Account, space: str, name: str) -> None:
    """Last: until then AWS ends what costs most, should this be cut off."""
    if all(one.kind in ENDS for one in leftovers.of(account, space)):
        ends.remove(account, space)


ENDS = ("scheduled action", "schedule", "group of schedules", "role of the end")
DELETES: dict[str, Delete] = {
    "Auto Scaling group": _call("autoscaling", "delete_auto_scaling_group", "AutoScalingGroupName", ForceDelete=True),
    "instance": _call("ec2", "terminate_instances", "InstanceIds", several=True),
    "database": _database,
    "last snapshot": _call("rds", "delete_db_snapshot", "DBSnapshotIdentifier"),
    "load balancer": _call("elbv2", "delete_load_balancer", "LoadBalancerArn"),
    "target group": _call("elbv2", "delete_target_group", "TargetGroupArn"),
    leftovers.RECORD: records.delete,
    "certificate": _certificate,
    "EC2 Instance Connect Endpoint": _call("ec2", "delete_instance_connect_endpoint", "InstanceConnectEndpointId"),
    "VPC endpoint": _call("ec2", "delete_vpc_endpoints", "VpcEndpointIds", several=True),
    "Elastic IP": _address,
    "volume": _call("ec2", "delete_volume", "VolumeId"),
    "launch template": _call("ec2", "delete_launch_template", "LaunchTemplateName"),
    "subnet group": _call("rds", "delete_db_subnet_group", "DBSubnetGroupName"),
    "parameter group": _call("rds", "delete_db_parameter_group", "DBParameterGroupName"),
    "network interface": _call("ec2", "delete_network_interface", "NetworkInterfaceId"),
    "security group": _walls,
    "subnet": _call("ec2", "delete_subnet", "SubnetId"),
    "route table": _routes,
    "internet gateway": _gateway,
    "VPC": _call("ec2", "delete_vpc", "VpcId"),
    "instance profile": _profile,
    "role": _role,
    "bucket": _bucket,
    leftovers.STATE: _bucket,
    leftovers.PARAMETER: _call("ssm", "delete_parameter", "Name"),
    **dict.fromkeys(ENDS, _ends),
}
