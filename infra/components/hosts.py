"""The hosts: a launch template, an Auto Scaling group that keeps their number, and an address where nothing is before
them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.network import EVERYWHERE, Network
from infra.components.noun import Noun
from infra.components.role import HostRole
from infra.components.rules import allow_in, allow_out, group
from infra.names import name
from infra.spec import DISK, Spec

ROUTER = (80, 80)
WEB = {"http": (80, 80), "https": (443, 443)}
JOIN, DRAIN = 900, 120  # seconds that a host has to join, and to let requests end


@dataclass(frozen=True, slots=True)
class Boot:
    """What a host starts from: the image's id and the name of its root device, and its user data, without secrets.
    `boundary` is the ARN of the policy that its role cannot go beyond, if there is one."""

    image: pulumi.Input[str]
    root_device: pulumi.Input[str]
    user_data: str
    boundary: str | None = None


class Hosts(Noun):
    """`walls` is the id of the hosts' security group, made before all else: other nouns name it in rules of their own.
    `keep` makes the group, once what the hosts need is there."""

    def __init__(self, space: str, spec: Spec, network: Network, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(space, "hosts", opts)
        self.spec, self.network = spec, network
        self.walls = group(self, "hosts", "The hosts of the space", network.vpc.id).id
        allow_out(self, "hosts-out", self.walls)
        allow_in(self, "hosts-themselves", self.walls, (0, 65_535), referenced_security_group_id=self.walls)
        if not spec.load_balancer:
            for logical, ports in WEB.items():
                allow_in(self, f"hosts-{logical}", self.walls, ports, cidr_ipv4=EVERYWHERE)

    def keep(
        self,
        boot: Boot,
        bucket: pulumi.Input[str],
        targets: Sequence[pulumi.Input[str]],
        needs: Sequence[pulumi.Resource],
    ) -> None:
        """Keep `spec.hosts.count` hosts. `bucket` is the ARN of the store, `targets` are those of target groups; no
        host starts before what it `needs` is there."""
        role = HostRole(self, bucket, boot.boundary, takes_address=not self.spec.load_balancer)
        template = self._template(boot, role)
        self.group = self._group(template, targets, [*needs, role.policy, self.network.route, self.network.endpoint])
        # Whose it is is Pulumi's business, where it points is the hosts': the last step of joining.
        own = None if self.spec.load_balancer else self._address()
        self.address = own.public_ip if own else None
        self.leave(group=self.group.name, address=self.address)

    def _template(self, boot: Boot, role: HostRole) -> aws.ec2.LaunchTemplate:
        size = self.spec.hosts.size
        disk = {"volume_size": DISK, "volume_type": "gp3", "encrypted": "true", "delete_on_termination": "true"}
        # Bursts beyond what was earned would cost more than the host.
        credits = {"credit_specification": {"cpu_credits": "standard"}} if size.startswith("t") else {}
        return aws.ec2.LaunchTemplate(
            name(self.space, "launch-template", "host"),
            image_id=boot.image,
            instance_type=size,
            update_default_version=True,
            vpc_security_group_ids=[self.walls],
            iam_instance_profile={"arn": role.profile.arn},
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            block_device_mappings=[{"device_name": boot.root_device, "ebs": disk}],
            user_data=base64.b64encode(boot.user_data.encode()).decode(),
            tag_specifications=[{"resource_type": kind, "tags": self.tags("host")} for kind in ("instance", "volume")],
            tags=self.tags("host"),
            opts=self.inside,
            **credits,
        )

    def _group(
        self,
        template: aws.ec2.LaunchTemplate,
        targets: Sequence[pulumi.Input[str]],
        needs: Sequence[pulumi.Resource],
    ) -> aws.autoscaling.Group:
        count = self.spec.hosts.count
        return aws.autoscaling.Group(
            name(self.space, "group", "hosts"),
            min_size=count,
            max_size=count + 1,
            desired_capacity=count,
            vpc_zone_identifiers=self.network.public,
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            target_group_arns=list(targets),
            health_check_type="EC2",  # never an app's: a release that crashes must not kill hosts
            suspended_processes=["AZRebalance"],  # which would end hosts that serve
            initial_lifecycle_hooks=hooks(),
            wait_for_capacity_timeout="0",
            tags=[
                {"key": key, "value": value, "propagate_at_launch": False} for key, value in self.tags("hosts").items()
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(needs)),
        )

    def _address(self) -> aws.ec2.Eip:
        return aws.ec2.Eip("address", domain="vpc", tags=self.tags("address"), opts=self.inside)


def hooks() -> list[dict[str, Any]]:
    """Inside the group, so that its very first hosts meet them too. A host that does not join is given up; one that
    does not drain goes all the same."""
    kinds = {"join": ("LAUNCHING", JOIN, "ABANDON"), "drain": ("TERMINATING", DRAIN, "CONTINUE")}
    return [
        {
            "name": hook,
            "lifecycle_transition": f"autoscaling:EC2_INSTANCE_{transition}",
            "heartbeat_timeout": seconds,
            "default_result": result,
        }
        for hook, (transition, seconds, result) in kinds.items()
    ]
