"""Security groups, their rules, and the endpoint of EC2 Instance Connect.

Replace rules: internal/service/ec2/vpc_security_group*.go, ec2_instance_connect_endpoint.go of the provider.
"""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, gone, plain, renamed
from tests.infra.standin.network import interfaces
from tests.infra.standin.values import Values

EVERYTHING_OUT = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
RULE = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": "CidrIpv4",
}


def group_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_security_group(
        GroupName=new["name"],
        Description=new["description"],
        VpcId=new["vpcId"],
        TagSpecifications=aws.specification(new, "security-group"),
    )["GroupId"]
    # AWS lets everything out of a new group; the real provider takes that away.
    aws.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=EVERYTHING_OUT)
    return str(made)


@gone("InvalidGroup.NotFound")
def group_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_security_groups(GroupIds=[resource])["SecurityGroups"][0]
    return {
        "arn": aws.arn("ec2", f"security-group/{resource}"),
        "name": found["GroupName"],
        "description": found["Description"],
        "vpcId": found["VpcId"],
        "ownerId": found["OwnerId"],
        **aws.tagged(state, found.get("Tags", [])),
    }


def group_delete(aws: Aws, resource: str, state: Values) -> None:
    """moto lets one go that others use; AWS does not."""
    databases = aws.rds.describe_db_instances()["DBInstances"]
    balancers = aws.elbv2.describe_load_balancers()["LoadBalancers"]
    users = [
        *interfaces(aws, "group-id", resource),
        *(d["DBInstanceIdentifier"] for d in databases if resource in str(d["VpcSecurityGroups"])),
        *(one["LoadBalancerName"] for one in balancers if resource in one.get("SecurityGroups", [])),
        *(rule["SecurityGroupRuleId"] for rule in rules(aws) if _names(rule, resource)),
    ]
    if users:
        raise Refused(f"DependencyViolation: resource {resource} has a dependent object: {users}")
    aws.ec2.delete_security_group(GroupId=resource)


def _names(rule: dict[str, Any], group: str) -> bool:
    """Whether a rule of another group names this one."""
    return rule["GroupId"] != group and rule.get("ReferencedGroupInfo", {}).get("GroupId") == group


def rules(aws: Aws) -> list[dict[str, Any]]:
    return list(aws.ec2.describe_security_group_rules()["SecurityGroupRules"])


GROUP = Kind(
    plain("name", "description", "vpcId", "revokeRulesOnDelete", "tags"),
    group_create,
    group_read,
    group_delete,
    Aws.retag,
    replaces=frozenset({"name", "description", "vpcId"}),
    computed=("arn", "ownerId"),
    defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
    autoname=("name", 255),
)


def _permission(new: Values) -> dict[str, Any]:
    permission = renamed(new, {"ipProtocol": "IpProtocol", "fromPort": "FromPort", "toPort": "ToPort"})
    if new.get("cidrIpv4"):
        permission["IpRanges"] = [{"CidrIp": new["cidrIpv4"]}]
    if new.get("referencedSecurityGroupId"):
        permission["UserIdGroupPairs"] = [{"GroupId": new["referencedSecurityGroupId"]}]
    return permission


def _rule_kind(way: str) -> Kind:
    def create(aws: Aws, new: Values) -> str:
        made = getattr(aws.ec2, f"authorize_security_group_{way}")(
            GroupId=new["securityGroupId"],
            IpPermissions=[_permission(new)],
            TagSpecifications=aws.specification(new, "security-group-rule"),
        )
        return str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(aws: Aws, resource: str, state: Values) -> Values | None:
        found = next((rule for rule in rules(aws) if rule["SecurityGroupRuleId"] == resource), None)
        if found is None:
            return None
        seen = {ours: found[theirs] for ours, theirs in RULE.items() if found.get(theirs) not in (None, -1)}
        if other := found.get("ReferencedGroupInfo", {}).get("GroupId"):
            seen["referencedSecurityGroupId"] = other
        return {
            "arn": aws.arn("ec2", f"security-group-rule/{resource}"),
            "securityGroupRuleId": resource,
            "securityGroupId": found["GroupId"],
            **seen,
            **aws.tagged(state, found.get("Tags", [])),
        }

    def delete(aws: Aws, resource: str, state: Values) -> None:
        revoke = getattr(aws.ec2, f"revoke_security_group_{way}")
        revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[resource])

    return Kind(
        plain(*RULE, "securityGroupId", "referencedSecurityGroupId", "tags"),
        create,
        read,
        delete,
        required=("securityGroupId", "ipProtocol"),
        replaces=frozenset({"securityGroupId"}),
        computed=("arn", "securityGroupRuleId"),
    )


INGRESS, EGRESS = _rule_kind("ingress"), _rule_kind("egress")

# moto has no endpoints of Instance Connect. AWS puts a network interface into the subnet for each: that one stands for
# the endpoint, so that it holds its subnet and its security group back, and is found by its tags.
ABOUT = "EC2 Instance Connect Endpoint"


def connect_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_network_interface(
        SubnetId=new["subnetId"],
        Groups=new["securityGroupIds"],
        Description=ABOUT,
        TagSpecifications=aws.specification(new, "network-interface"),
    )["NetworkInterface"]["NetworkInterfaceId"]
    return str(made).replace("eni-", "eice-")


@gone("InvalidNetworkInterfaceID.NotFound")
def connect_read(aws: Aws, resource: str, state: Values) -> Values:
    interface = resource.replace("eice-", "eni-")
    found = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    return {
        "arn": aws.arn("ec2", f"instance-connect-endpoint/{resource}"),
        "subnetId": found["SubnetId"],
        "securityGroupIds": [one["GroupId"] for one in found["Groups"]],
        "dnsName": f"{resource}.ec2-instance-connect-endpoint.{aws.region}.amazonaws.com",
        "networkInterfaceIds": [interface],
        "vpcId": found["VpcId"],
        **aws.tagged(state, found.get("TagSet", [])),
    }


def connect_delete(aws: Aws, resource: str, state: Values) -> None:
    aws.ec2.delete_network_interface(NetworkInterfaceId=resource.replace("eice-", "eni-"))


CONNECT = Kind(
    plain("subnetId", "securityGroupIds", "preserveClientIp", "tags"),
    connect_create,
    connect_read,
    connect_delete,
    lambda aws, resource, old, new: aws.retag(resource.replace("eice-", "eni-"), old, new),
    required=("subnetId",),
    replaces=frozenset({"subnetId", "securityGroupIds", "preserveClientIp"}),
    sets=frozenset({"securityGroupIds"}),
    computed=("arn", "dnsName", "networkInterfaceIds", "vpcId"),
    defaults={"preserveClientIp": True},
)
