"""What others have put into a space's network: AWS deletes no network that something is in, so `down` would fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import GONE, TAG, Left, carries, pages

Thing = Mapping[str, Any]
# The call, the key of its answer, the name's key, and the word for a filter by network.
KINDS = {
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId", "vpc-id"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId", "vpc-id"),
    "NAT gateway": ("describe_nat_gateways", "NatGateways", "NatGatewayId", "vpc-id"),
    "VPC endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id"),
}


def foreign(account: Account, space: str) -> list[Left]:
    """Everything in the space's network that does not carry its tag, and that nothing of the space's has brought."""
    with asking():
        mine = [{"Name": f"tag:{TAG}", "Values": [space]}]
        networks = [one["VpcId"] for one in pages(account.client("ec2"), "describe_vpcs", "Vpcs", Filters=mine)]
        return [one for network in networks for look in LOOKS for one in look(account, space, network)]


def _instances(account: Account, space: str, network: str) -> Iterator[Left]:
    inside = [{"Name": "vpc-id", "Values": [network]}]
    for each in pages(account.client("ec2"), "describe_instances", "Reservations", Filters=inside):
        for one in each["Instances"]:
            if one["State"]["Name"] not in GONE and not carries(one.get("Tags", []), space):
                yield Left("instance", _called(one["InstanceId"], one))


def _of_ec2(account: Account, space: str, network: str) -> Iterator[Left]:
    for kind, (call, key, name, word) in KINDS.items():
        for one in pages(account.client("ec2"), call, key, Filters=[{"Name": word, "Values": [network]}]):
            is_of_aws = one.get("GroupName") == "default" or one.get("State") in GONE
            if not is_of_aws and not carries(one.get("Tags", []), space):
                yield Left(kind, _called(one[name], one))


def _interfaces(account: Account, space: str, network: str) -> Iterator[Left]:
    """Those of instances go with them. Those that AWS has made for a load balancer, a database or an endpoint carry no
    tag, and are the space's where all their security groups are."""
    ec2, inside = account.client("ec2"), [{"Name": "vpc-id", "Values": [network]}]
    groups = pages(ec2, "describe_security_groups", "SecurityGroups", Filters=inside)
    mine = {one["GroupId"] for one in groups if carries(one.get("Tags", []), space)}
    for one in pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=inside):
        is_of_instance = bool(one.get("Attachment", {}).get("InstanceId"))
        is_brought = one.get("RequesterManaged", False) and {group["GroupId"] for group in one["Groups"]} <= mine
        if not is_of_instance and not is_brought and not carries(one.get("TagSet", []), space):
            about = one.get("Description")
            yield Left(
                "network interface", f"{one['NetworkInterfaceId']} ({about})" if about else one["NetworkInterfaceId"]
            )


def _balancers(account: Account, space: str, network: str) -> Iterator[Left]:
    client = account.client("elbv2")
    for one in pages(client, "describe_load_balancers", "LoadBalancers"):
        if one["VpcId"] == network:
            tags = client.describe_tags(ResourceArns=[one["LoadBalancerArn"]])["TagDescriptions"][0]["Tags"]
            if not carries(tags, space):
                yield Left("load balancer", one["LoadBalancerName"])


def _called(name: str, one: Thing) -> str:
    """Its id, and what somebody has called it."""
    tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags") or one.get("TagSet") or []}
    words = tags.get("Name") or one.get("GroupName") or one.get("Description")
    return f"{name} ({words})" if words else name


LOOKS = (_instances, _balancers, _of_ec2, _interfaces)
