"""A small space in the box, made through boto3: what tests of the box itself need of one."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from infra.policies import may, may_be_assumed
from tests.box.box import Box

ROLE, TEMPLATE, GROUP, BUCKET = "host", "host", "hosts", "store"
HOOKS = {"join": ("LAUNCHING", "ABANDON"), "drain": ("TERMINATING", "CONTINUE")}


@dataclass
class Ordered:
    """Ids of what was made."""

    here: Box
    vpc: str
    subnets: list[str]
    walls: str

    def client(self, service: str) -> Any:
        return self.here.cloud.client(service)

    def states(self) -> dict[str, str]:
        """What the group says of its instances, by id."""
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        return {one["InstanceId"]: one["LifecycleState"] for one in found["AutoScalingGroups"][0]["Instances"]}

    def activities(self) -> list[dict[str, Any]]:
        """What the group says that it did, the newest first."""
        found = self.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=GROUP)
        return list(found["Activities"])

    def targets(self) -> list[dict[str, Any]]:
        """What the load balancer says of its targets."""
        elb = self.client("elbv2")
        group = elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
        return list(elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"])

    def health(self) -> dict[str, str]:
        """The state of each."""
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in self.targets()}

    def complete(self, instance: str, result: str = "CONTINUE", hook: str = "join") -> None:
        self.client("autoscaling").complete_lifecycle_action(
            AutoScalingGroupName=GROUP, LifecycleHookName=hook, InstanceId=instance, LifecycleActionResult=result
        )

    def serving(self, count: int) -> list[str]:
        """Wait until so many are in service, and no others there."""
        found = self.here.wait(lambda: (s := self.states()) and list(s.values()) == ["InService"] * count and list(s))
        return list(found)


def order(here: Box) -> Ordered:
    """A network with two public subnets, a security group, a role and a bucket."""
    ec2, iam = here.cloud.client("ec2"), here.cloud.client("iam")
    vpc = ec2.create_vpc(CidrBlock=here.network)["Vpc"]["VpcId"]
    parts = list(IPv4Network(here.network).subnets(3))[:2]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=str(part), AvailabilityZone=f"eu-central-1{zone}")["Subnet"]["SubnetId"]
        for part, zone in zip(parts, "ab", strict=True)
    ]
    walls = ec2.create_security_group(GroupName="hosts", Description="of the hosts", VpcId=vpc)["GroupId"]
    iam.create_role(RoleName=ROLE, Path="/deployer/", AssumeRolePolicyDocument=json.dumps(may_be_assumed()))
    policy = may(f"arn:aws:s3:::{BUCKET}", None, takes_address=True)
    iam.put_role_policy(RoleName=ROLE, PolicyName="host", PolicyDocument=json.dumps(policy))
    iam.create_instance_profile(InstanceProfileName=ROLE, Path="/deployer/")
    iam.add_role_to_instance_profile(InstanceProfileName=ROLE, RoleName=ROLE)
    here.cloud.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return Ordered(here, vpc, subnets, walls)


def balance(made: Ordered, *, interval: int = 5) -> str:
    """A load balancer in a security group of its own, which the hosts' one lets in at port 80; its target group."""
    ec2, elb = made.client("ec2"), made.client("elbv2")
    own = ec2.create_security_group(GroupName="front", Description="of the front", VpcId=made.vpc)["GroupId"]
    allow(made, (80, 80), group=own)
    balancer = elb.create_load_balancer(Name="front", Subnets=made.subnets, SecurityGroups=[own])["LoadBalancers"][0]
    targets = elb.create_target_group(
        Name="hosts",
        Port=80,
        Protocol="HTTP",
        VpcId=made.vpc,
        HealthCheckPath="/-/ready",
        HealthCheckIntervalSeconds=interval,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
    )
    return str(targets)


def allow(made: Ordered, ports: tuple[int, int], *, network: str = "", group: str = "") -> None:
    """Let TCP into the hosts, from a network or from what is in another security group."""
    source = {"IpRanges": [{"CidrIp": network}]} if network else {"UserIdGroupPairs": [{"GroupId": group}]}
    permission = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1], **source}
    made.client("ec2").authorize_security_group_ingress(GroupId=made.walls, IpPermissions=[permission])


def keep(made: Ordered, script: str, count: int, targets: list[str] | None = None) -> None:
    """A group that keeps so many hosts, whose user data is that script."""
    ec2, scaling = made.client("ec2"), made.client("autoscaling")
    data = {
        "ImageId": ec2.describe_images()["Images"][0]["ImageId"],
        "InstanceType": "t4g.small",
        "SecurityGroupIds": [made.walls],
        "IamInstanceProfile": {"Name": ROLE},
        "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},
        "UserData": base64.b64encode(script.encode()).decode(),
    }
    ec2.create_launch_template(LaunchTemplateName=TEMPLATE, LaunchTemplateData=data)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=0,
        MaxSize=count + 1,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": "$Latest"},
        VPCZoneIdentifier=",".join(made.subnets),
        TargetGroupARNs=targets or [],
        Tags=[{"Key": "deployer:space", "Value": "box", "PropagateAtLaunch": False}],
    )
    for name, (transition, result) in HOOKS.items():
        scaling.put_lifecycle_hook(
            AutoScalingGroupName=GROUP,
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
            HeartbeatTimeout=900,
            DefaultResult=result,
        )
    scaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, DesiredCapacity=count)
