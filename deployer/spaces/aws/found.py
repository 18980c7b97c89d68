"""Finds things whose making was cut off: AWS has them, and Pulumi's state does not know their ids.

Most have a name with random digits, which the state knows from before the call; the rest are found by their tags. What
can be made twice without harm (a bucket's settings, a role's policy) needs no finding.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deployer.spaces.aws.account import Account, asking, code_of
from deployer.spaces.aws.domain import certificates, record

Inputs = Mapping[str, Any]
Look = Callable[[Account, Inputs], Any]
TAGS = ("deployer:space", "deployer:noun", "deployer:name")


def find(account: Account, kind: str, inputs: Inputs) -> str | None:
    """The id that Pulumi has for such a thing (`aws:ec2/vpc:Vpc`), if AWS has it."""
    look = LOOKS.get(kind)
    if look is None:
        return None
    with asking():
        found = _or_none(lambda: look(account, inputs))
    return None if found is None else str(found)


def _or_none(look: Callable[[], Any]) -> Any:
    """None where AWS says that there is no such thing, in one of its many ways."""
    from botocore.exceptions import ClientError

    try:
        return look()
    except ClientError as error:
        if any(word in code_of(error) for word in ("NotFound", "NoSuch", "404")):
            return None
        raise
    except (StopIteration, IndexError):
        return None


def _by_tags(call: str, key: str, name: str) -> Look:
    """Things of EC2 without a name."""

    def look(account: Account, inputs: Inputs) -> Any:
        filters = [{"Name": f"tag:{tag}", "Values": [inputs["tags"][tag]]} for tag in TAGS]
        return next(_alive(getattr(account.client("ec2"), call)(Filters=filters)[key], name))

    return look


def _alive(found: Iterable[Mapping[str, Any]], name: str) -> Any:
    return (one[name] for one in found if one.get("State") not in ("deleted", "delete-complete"))


def _rule(is_egress: bool) -> Look:
    def look(account: Account, inputs: Inputs) -> Any:
        mine = [{"Name": "group-id", "Values": [inputs["securityGroupId"]]}]
        found = account.client("ec2").describe_security_group_rules(Filters=mine)["SecurityGroupRules"]
        return next(
            one["SecurityGroupRuleId"]
            for one in found
            if one["IsEgress"] is is_egress and _name(one.get("Tags", [])) == inputs["tags"]["deployer:name"]
        )

    return look


def _name(tags: Iterable[Mapping[str, str]]) -> str | None:
    return next((one["Value"] for one in tags if one["Key"] == "deployer:name"), None)


def _endpoint(account: Account, inputs: Inputs) -> Any:
    mine = [{"Name": "subnet-id", "Values": [inputs["subnetId"]]}]
    found = account.client("ec2").describe_instance_connect_endpoints(Filters=mine)["InstanceConnectEndpoints"]
    mine_only = (one for one in found if one["SubnetId"] == inputs["subnetId"] and _name(one["Tags"]) == "access")
    return next(_alive(mine_only, "InstanceConnectEndpointId"))


def _association(account: Account, inputs: Inputs) -> Any:
    found = account.client("ec2").describe_route_tables(RouteTableIds=[inputs["routeTableId"]])["RouteTables"][0]
    mine = (one for one in found["Associations"] if one.get("SubnetId") == inputs["subnetId"])
    return next(one["RouteTableAssociationId"] for one in mine)


def _route(account: Account, inputs: Inputs) -> Any:
    """Its id is the real provider's own: a hash of where it leads (internal/service/ec2/vpc_route.go)."""
    table, where = inputs["routeTableId"], inputs["destinationCidrBlock"]
    found = account.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
    there = any(one.get("DestinationCidrBlock") == where for one in found["Routes"])
    return f"r-{table}{zlib.crc32(where.encode())}" if there else None


def _template(account: Account, inputs: Inputs) -> Any:
    ec2 = account.client("ec2")
    return ec2.describe_launch_templates(LaunchTemplateNames=[inputs["name"]])["LaunchTemplates"][0]["LaunchTemplateId"]


def _group(account: Account, inputs: Inputs) -> Any:
    client, name = account.client("autoscaling"), inputs["name"]
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return found[0]["AutoScalingGroupName"]


def _listener(account: Account, inputs: Inputs) -> Any:
    client = account.client("elbv2")
    found = client.describe_listeners(LoadBalancerArn=inputs["loadBalancerArn"])["Listeners"]
    return next(one["ListenerArn"] for one in found if one["Port"] == inputs["port"])


def _certificate(account: Account, inputs: Inputs) -> Any:
    """While the domain changes there are two of the space."""
    mine = certificates(account, inputs["tags"]["deployer:space"])
    return next(one.arn for one in mine if one.domain == inputs["domainName"])


def _record(account: Account, inputs: Inputs) -> Any:
    """Not one of the same name that somebody else has made, and that leads elsewhere."""
    alias, values = inputs.get("aliases") or [], inputs.get("records") or []
    value = alias[0]["name"] if alias else values[0]
    return record(account, inputs["zoneId"], inputs["name"], inputs["type"], value)


def _budget(account: Account, inputs: Inputs) -> Any:
    number, name = account.number(), inputs["name"]
    account.client("budgets").describe_budget(AccountId=number, BudgetName=name)
    return f"{number}:{name}"


def _named(service: str, call: str, word: str, name: str, key: str, field: str, *, several: bool = False) -> Look:
    """Things with a name: the call takes it, or `several`, as `word`, and answers with `field` at `key`."""

    def look(account: Account, inputs: Inputs) -> Any:
        asked = [inputs[name]] if several else inputs[name]
        found = getattr(account.client(service), call)(**{word: asked})[key]
        return found[0][field] if isinstance(found, list) else found[field]

    return look


def _bucket(account: Account, inputs: Inputs) -> Any:
    account.client("s3").head_bucket(Bucket=inputs["bucket"])
    return inputs["bucket"]


def _security_group(account: Account, inputs: Inputs) -> Any:
    mine = [{"Name": "group-name", "Values": [inputs["name"]]}, {"Name": "vpc-id", "Values": [inputs["vpcId"]]}]
    return account.client("ec2").describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]


LOOKS: dict[str, Look] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:autoscaling/group:Group": _group,
    "aws:budgets/budget:Budget": _budget,
    "aws:ec2/eip:Eip": _by_tags("describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/internetGateway:InternetGateway": _by_tags(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": _template,
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _by_tags("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ec2/subnet:Subnet": _by_tags("describe_subnets", "Subnets", "SubnetId"),
    "aws:ec2/vpc:Vpc": _by_tags("describe_vpcs", "Vpcs", "VpcId"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _by_tags("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": _endpoint,
    "aws:iam/instanceProfile:InstanceProfile": _named(
        "iam",
        "get_instance_profile",
        "InstanceProfileName",
        "name",
        "InstanceProfile",
        "InstanceProfileName",
    ),
    "aws:iam/role:Role": _named("iam", "get_role", "RoleName", "name", "Role", "RoleName"),
    "aws:lb/listener:Listener": _listener,
    "aws:lb/loadBalancer:LoadBalancer": _named(
        "elbv2", "describe_load_balancers", "Names", "name", "LoadBalancers", "LoadBalancerArn", several=True
    ),
    "aws:lb/targetGroup:TargetGroup": _named(
        "elbv2", "describe_target_groups", "Names", "name", "TargetGroups", "TargetGroupArn", several=True
    ),
    "aws:rds/instance:Instance": _named(
        "rds", "describe_db_instances", "DBInstanceIdentifier", "identifier", "DBInstances", "DbiResourceId"
    ),
    "aws:rds/parameterGroup:ParameterGroup": _named(
        "rds",
        "describe_db_parameter_groups",
        "DBParameterGroupName",
        "name",
        "DBParameterGroups",
        "DBParameterGroupName",
    ),
    "aws:rds/subnetGroup:SubnetGroup": _named(
        "rds", "describe_db_subnet_groups", "DBSubnetGroupName", "name", "DBSubnetGroups", "DBSubnetGroupName"
    ),
    "aws:route53/record:Record": _record,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule(True),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule(False),
}
