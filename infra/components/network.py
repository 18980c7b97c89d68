"""The network: a VPC with public subnets for hosts and load balancer, private ones for data, and no NAT gateway."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.components.noun import Noun
from infra.spec import Spec
from infra.subnets import Subnet, plan

EVERYWHERE = "0.0.0.0/0"


class Network(Noun):
    """`public` and `data` are the ids of subnets, a zone each; `data` is empty without a database."""

    def __init__(
        self, space: str, spec: Spec, zones: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(space, "network", opts)
        self.vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=spec.network,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self.tags("vpc"),
            opts=self.inside,
        )
        subnets = [one for one in plan(spec.network) if one.public or spec.has_databases]
        made = {one.name: self._subnet(one, zones[one.zone]) for one in subnets}
        self.public = [made[one.name].id for one in subnets if one.public]
        self.data = [made[one.name].id for one in subnets if not one.public]
        self.route = self._way_out([one for one in subnets if one.public], made)
        self.endpoint = aws.ec2.VpcEndpoint(
            "s3",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{spec.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[self.route.route_table_id],
            tags=self.tags("s3"),
            opts=self.inside,
        )
        self.leave(vpc=self.vpc.id, public=self.public, data=self.data)

    def _subnet(self, one: Subnet, zone: str) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            one.name,
            vpc_id=self.vpc.id,
            cidr_block=str(one.network),
            availability_zone=zone,
            map_public_ip_on_launch=one.public,
            tags=self.tags(one.name),
            opts=self.inside,
        )

    def _way_out(self, public: Sequence[Subnet], made: dict[str, aws.ec2.Subnet]) -> aws.ec2.Route:
        """The way to the internet, for the public subnets alone."""
        gateway = aws.ec2.InternetGateway("internet", vpc_id=self.vpc.id, tags=self.tags("internet"), opts=self.inside)
        table = aws.ec2.RouteTable("public", vpc_id=self.vpc.id, tags=self.tags("public"), opts=self.inside)
        for one in public:
            aws.ec2.RouteTableAssociation(
                one.name, subnet_id=made[one.name].id, route_table_id=table.id, opts=self.inside
            )
        return aws.ec2.Route(
            "internet",
            route_table_id=table.id,
            destination_cidr_block=EVERYWHERE,
            gateway_id=gateway.id,
            opts=self.inside,
        )
