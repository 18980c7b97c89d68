"""What the stand-in does with an Auto Scaling group that gets a load balancer, or loses it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from infra.resources import IMAGES
from tests.infra.moto_here import REGION, moto
from tests.infra.standin.hosts import GROUP, LAUNCH_TEMPLATE
from tests.infra.standin.kind import Aws

pytestmark = pytest.mark.edge


def test_a_group_changes_its_target_groups() -> None:
    with moto() as endpoint:
        aws = Aws(endpoint, REGION, {"made-by": "of-tests"})
        vpc = aws.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnet = aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        first, second = (target_group(aws, name, vpc) for name in ("first", "second"))
        image = aws.ssm.get_parameter(Name=IMAGES.format(architecture="arm64"))["Parameter"]["Value"]
        template = LAUNCH_TEMPLATE.create(aws, {"name": "of-tests", "imageId": image, "instanceType": "t4g.small"})
        plain = {
            "name": "of-tests",
            **dict.fromkeys(("minSize", "maxSize", "desiredCapacity"), 1),
            "vpcZoneIdentifiers": [subnet],
            "launchTemplate": {"id": template, "version": "1"},
            "healthCheckType": "EC2",
        }
        GROUP.create(aws, plain)
        steps: tuple[list[str], ...] = ([], [first], [second], [])
        for before, after in pairwise(steps):
            GROUP.update(aws, "of-tests", {**plain, "targetGroupArns": before}, {**plain, "targetGroupArns": after})
            assert attached(aws) == after
        GROUP.delete(aws, "of-tests", plain)


def target_group(aws: Aws, name: str, vpc: str) -> str:
    made = aws.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"]
    return str(made[0]["TargetGroupArn"])


def attached(aws: Aws) -> list[str]:
    [found] = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["of-tests"])["AutoScalingGroups"]
    return list(found["TargetGroupARNs"])
