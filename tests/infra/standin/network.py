"""VPC, subnets, the way out, addresses. Replace rules: internal/service/ec2/vpc_*.go, ec2_eip.go of the provider."""

from __future__ import annotations

import zlib
from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, changed, gone, plain
from tests.infra.standin.values import Values

NETWORK_ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}


def vpc_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_vpc(CidrBlock=new["cidrBlock"], TagSpecifications=aws.specification(new, "vpc"))
    vpc_update(aws, made["Vpc"]["VpcId"], {}, new)
    return str(made["Vpc"]["VpcId"])


def vpc_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    for ours, theirs in NETWORK_ATTRIBUTES.items():
        if changed(old, new, ours):
            aws.ec2.modify_vpc_attribute(VpcId=resource, **{theirs: {"Value": new[ours]}})
    aws.retag(resource, old, new)


@gone("InvalidVpcID.NotFound")
def vpc_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_vpcs(VpcIds=[resource])["Vpcs"][0]
    attributes = {
        ours: aws.ec2.describe_vpc_attribute(VpcId=resource, Attribute=ours)[theirs]["Value"]
        for ours, theirs in NETWORK_ATTRIBUTES.items()
    }
    mine = [{"Name": "vpc-id", "Values": [resource]}]
    groups = aws.ec2.describe_security_groups(Filters=[*mine, {"Name": "group-name", "Values": ["default"]}])
    return {
        "arn": aws.arn("ec2", f"vpc/{resource}"),
        "cidrBlock": found["CidrBlock"],
        "ownerId": found["OwnerId"],
        "defaultSecurityGroupId": groups["SecurityGroups"][0]["GroupId"],
        **attributes,
        **aws.tagged(state, found.get("Tags", [])),
    }


VPC = Kind(
    plain("cidrBlock", "enableDnsSupport", "enableDnsHostnames", "tags"),
    vpc_create,
    vpc_read,
    lambda aws, resource, state: aws.ec2.delete_vpc(VpcId=resource),
    vpc_update,
    replaces=frozenset({"cidrBlock"}),
    computed=("arn", "ownerId", "defaultSecurityGroupId"),
    defaults={"enableDnsSupport": True},
)


def subnet_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_subnet(
        VpcId=new["vpcId"],
        CidrBlock=new["cidrBlock"],
        AvailabilityZone=new["availabilityZone"],
        TagSpecifications=aws.specification(new, "subnet"),
    )["Subnet"]["SubnetId"]
    subnet_update(aws, made, {}, new)
    return str(made)


def subnet_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "mapPublicIpOnLaunch"):
        given = {"Value": bool(new.get("mapPublicIpOnLaunch"))}
        aws.ec2.modify_subnet_attribute(SubnetId=resource, MapPublicIpOnLaunch=given)
    aws.retag(resource, old, new)


@gone("InvalidSubnetID.NotFound")
def subnet_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_subnets(SubnetIds=[resource])["Subnets"][0]
    return {
        "arn": found["SubnetArn"],
        "vpcId": found["VpcId"],
        "cidrBlock": found["CidrBlock"],
        "availabilityZone": found["AvailabilityZone"],
        "mapPublicIpOnLaunch": found["MapPublicIpOnLaunch"],
        **aws.tagged(state, found.get("Tags", [])),
    }


def subnet_delete(aws: Aws, resource: str, state: Values) -> None:
    """moto lets one go that is in use; AWS does not."""
    if holders := [*interfaces(aws, "subnet-id", resource), *balancers_in(aws, resource)]:
        raise Refused(f"DependencyViolation: The subnet '{resource}' has dependencies and cannot be deleted: {holders}")
    aws.ec2.delete_subnet(SubnetId=resource)


SUBNET = Kind(
    plain("vpcId", "cidrBlock", "availabilityZone", "mapPublicIpOnLaunch", "tags"),
    subnet_create,
    subnet_read,
    subnet_delete,
    subnet_update,
    required=("vpcId",),
    replaces=frozenset({"vpcId", "cidrBlock", "availabilityZone"}),
    computed=("arn",),
)


def gateway_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_internet_gateway(TagSpecifications=aws.specification(new, "internet-gateway"))
    resource = made["InternetGateway"]["InternetGatewayId"]
    aws.ec2.attach_internet_gateway(InternetGatewayId=resource, VpcId=new["vpcId"])
    return str(resource)


@gone("InvalidInternetGatewayID.NotFound")
def gateway_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_internet_gateways(InternetGatewayIds=[resource])["InternetGateways"][0]
    attached = [one["VpcId"] for one in found["Attachments"]]
    tags = aws.tagged(state, found.get("Tags", []))
    return {"arn": aws.arn("ec2", f"internet-gateway/{resource}"), "vpcId": attached[0] if attached else "", **tags}


def gateway_delete(aws: Aws, resource: str, state: Values) -> None:
    mapped = [one for one in interfaces(aws, "vpc-id", state["vpcId"]) if one.endswith("public")]
    if mapped:
        raise Refused(f"DependencyViolation: Network {state['vpcId']} has some mapped public address(es): {mapped}")
    aws.ec2.detach_internet_gateway(InternetGatewayId=resource, VpcId=state["vpcId"])
    aws.ec2.delete_internet_gateway(InternetGatewayId=resource)


GATEWAY = Kind(plain("vpcId", "tags"), gateway_create, gateway_read, gateway_delete, Aws.retag, computed=("arn",))


def table_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_route_table(VpcId=new["vpcId"], TagSpecifications=aws.specification(new, "route-table"))
    return str(made["RouteTable"]["RouteTableId"])


@gone("InvalidRouteTableID.NotFound")
def table_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_route_tables(RouteTableIds=[resource])["RouteTables"][0]
    tags = aws.tagged(state, found.get("Tags", []))
    return {"arn": aws.arn("ec2", f"route-table/{resource}"), "vpcId": found["VpcId"], **tags}


TABLE = Kind(
    plain("vpcId", "tags"),
    table_create,
    table_read,
    lambda aws, resource, state: aws.ec2.delete_route_table(RouteTableId=resource),
    Aws.retag,
    required=("vpcId",),
    replaces=frozenset({"vpcId"}),
    computed=("arn",),
)


def association_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.associate_route_table(RouteTableId=new["routeTableId"], SubnetId=new["subnetId"])
    return str(made["AssociationId"])


@gone("InvalidRouteTableID.NotFound")
def association_read(aws: Aws, resource: str, state: Values) -> Values | None:
    table = aws.ec2.describe_route_tables(RouteTableIds=[state["routeTableId"]])["RouteTables"][0]
    found = [one for one in table["Associations"] if one["RouteTableAssociationId"] == resource]
    return {"subnetId": found[0]["SubnetId"], "routeTableId": found[0]["RouteTableId"]} if found else None


ASSOCIATION = Kind(
    plain("subnetId", "routeTableId"),
    association_create,
    association_read,
    lambda aws, resource, state: aws.ec2.disassociate_route_table(AssociationId=resource),
    required=("routeTableId",),
    replaces=frozenset({"subnetId"}),
)


def route_create(aws: Aws, new: Values) -> str:
    aws.ec2.create_route(
        RouteTableId=new["routeTableId"],
        DestinationCidrBlock=new["destinationCidrBlock"],
        GatewayId=new["gatewayId"],
    )
    return f"r-{new['routeTableId']}{zlib.crc32(new['destinationCidrBlock'].encode())}"


@gone("InvalidRouteTableID.NotFound")
def route_read(aws: Aws, resource: str, state: Values) -> Values | None:
    table = aws.ec2.describe_route_tables(RouteTableIds=[state["routeTableId"]])["RouteTables"][0]
    for one in table["Routes"]:
        if one.get("DestinationCidrBlock") == state["destinationCidrBlock"]:
            return {"gatewayId": one.get("GatewayId"), "state": one["State"]}
    return None


def route_delete(aws: Aws, resource: str, state: Values) -> None:
    where = state["destinationCidrBlock"]
    aws.ec2.delete_route(RouteTableId=state["routeTableId"], DestinationCidrBlock=where)


ROUTE = Kind(
    plain("routeTableId", "destinationCidrBlock", "gatewayId"),
    route_create,
    route_read,
    route_delete,
    required=("routeTableId",),
    replaces=frozenset({"routeTableId", "destinationCidrBlock"}),
    computed=("state",),
)


def endpoint_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_vpc_endpoint(
        VpcId=new["vpcId"],
        ServiceName=new["serviceName"],
        VpcEndpointType=new["vpcEndpointType"],
        RouteTableIds=new["routeTableIds"],
        TagSpecifications=aws.specification(new, "vpc-endpoint"),
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


@gone("InvalidVpcEndpointId.NotFound")
def endpoint_read(aws: Aws, resource: str, state: Values) -> Values | None:
    found = aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[resource])["VpcEndpoints"][0]
    if found["State"] == "deleted":
        return None
    return {
        "arn": aws.arn("ec2", f"vpc-endpoint/{resource}"),
        "vpcId": found["VpcId"],
        "serviceName": found["ServiceName"],
        "vpcEndpointType": found["VpcEndpointType"],
        "routeTableIds": found["RouteTableIds"],
        **aws.tagged(state, found.get("Tags", [])),
    }


ENDPOINT = Kind(
    plain("vpcId", "serviceName", "vpcEndpointType", "routeTableIds", "tags"),
    endpoint_create,
    endpoint_read,
    lambda aws, resource, state: aws.ec2.delete_vpc_endpoints(VpcEndpointIds=[resource]),
    Aws.retag,
    required=("vpcId",),
    replaces=frozenset({"vpcId", "serviceName", "vpcEndpointType"}),
    sets=frozenset({"routeTableIds"}),
    computed=("arn",),
    defaults={"vpcEndpointType": "Gateway"},
)


def address_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.allocate_address(Domain=new["domain"], TagSpecifications=aws.specification(new, "elastic-ip"))
    return str(made["AllocationId"])


@gone("InvalidAllocationID.NotFound")
def address_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_addresses(AllocationIds=[resource])["Addresses"][0]
    known = {"publicIp": found["PublicIp"], "allocationId": resource, "domain": found["Domain"]}
    return {**known, "arn": aws.arn("ec2", f"elastic-ip/{resource}"), **aws.tagged(state, found.get("Tags", []))}


def address_delete(aws: Aws, resource: str, state: Values) -> None:
    """As the real provider does: AWS releases no address that leads somewhere."""
    found = aws.ec2.describe_addresses(AllocationIds=[resource])["Addresses"][0]
    if found.get("AssociationId"):
        aws.ec2.disassociate_address(AssociationId=found["AssociationId"])
    aws.ec2.release_address(AllocationId=resource)


ADDRESS = Kind(
    plain("domain", "tags"),
    address_create,
    address_read,
    address_delete,
    Aws.retag,
    replaces=frozenset({"domain"}),
    computed=("arn", "publicIp", "allocationId"),
)


def interfaces(aws: Aws, name: str, value: str) -> list[str]:
    """Network interfaces that hold something back, those with a public address marked. moto keeps those of instances
    that have ended."""
    found = aws.ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])["NetworkInterfaces"]
    return [_marked(one) for one in found if _counts(aws, one)]


def _marked(interface: dict[str, Any]) -> str:
    public = (interface.get("Association") or {}).get("PublicIp")
    return f"{interface['NetworkInterfaceId']}{' public' if public else ''}"


def _counts(aws: Aws, interface: dict[str, Any]) -> bool:
    instance = (interface.get("Attachment") or {}).get("InstanceId")
    if not instance:
        return True
    found = aws.ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance]}])["Reservations"]
    return any(one["State"]["Name"] != "terminated" for each in found for one in each["Instances"])


def balancers_in(aws: Aws, subnet: str) -> list[str]:
    found = aws.elbv2.describe_load_balancers()["LoadBalancers"]
    return [one["LoadBalancerName"] for one in found if subnet in [z["SubnetId"] for z in one["AvailabilityZones"]]]
