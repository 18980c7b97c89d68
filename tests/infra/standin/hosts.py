"""Roles, launch templates and Auto Scaling groups.

Replace rules: internal/service/iam/role*.go, instance_profile.go, ec2/ec2_launch_template.go, autoscaling/group.go of
the provider.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, changed, gone, plain, renamed
from tests.infra.standin.values import Values

PATIENCE = 30  # seconds for the hosts of a group to end
TEMPLATE = {
    "imageId": "ImageId",
    "instanceType": "InstanceType",
    "vpcSecurityGroupIds": "SecurityGroupIds",
    "userData": "UserData",
}
DISK = {"volumeSize": "VolumeSize", "volumeType": "VolumeType"}
METADATA = {
    "httpEndpoint": "HttpEndpoint",
    "httpTokens": "HttpTokens",
    "httpPutResponseHopLimit": "HttpPutResponseHopLimit",
}
BOUNDARY = {"permissionsBoundary": "PermissionsBoundary"}
SIZES = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredCapacity": "DesiredCapacity"}


def role_create(aws: Aws, new: Values) -> str:
    aws.iam.create_role(
        RoleName=new["name"],
        Path=new["path"],
        AssumeRolePolicyDocument=new["assumeRolePolicy"],
        Tags=aws.tag_list(new),
        **renamed(new, BOUNDARY),
    )
    return str(new["name"])


@gone("NoSuchEntity")
def role_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.iam.get_role(RoleName=resource)["Role"]
    return {
        "arn": found["Arn"],
        "name": found["RoleName"],
        "path": found["Path"],
        "uniqueId": found["RoleId"],
        "assumeRolePolicy": _policy(found["AssumeRolePolicyDocument"]),
        "permissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        **aws.tagged(state, found.get("Tags", [])),
    }


def role_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "assumeRolePolicy"):
        aws.iam.update_assume_role_policy(RoleName=resource, PolicyDocument=new["assumeRolePolicy"])
    if changed(old, new, "permissionsBoundary"):
        if not new.get("permissionsBoundary"):
            raise Refused("the stand-in takes no boundary away")
        aws.iam.put_role_permissions_boundary(RoleName=resource, **renamed(new, BOUNDARY))
    aws.iam.tag_role(RoleName=resource, Tags=aws.tag_list(new))


def _policy(document: Any) -> str:
    return urllib.parse.unquote(document) if isinstance(document, str) else json.dumps(document)


ROLE = Kind(
    plain("name", "path", "assumeRolePolicy", "permissionsBoundary", "tags"),
    role_create,
    role_read,
    lambda aws, resource, state: aws.iam.delete_role(RoleName=resource),
    role_update,
    required=("assumeRolePolicy",),
    replaces=frozenset({"name", "path"}),
    policies=frozenset({"assumeRolePolicy"}),
    computed=("arn", "uniqueId"),
    defaults={"path": "/"},
    autoname=("name", 64),
)


def role_policy_put(aws: Aws, new: Values) -> str:
    aws.iam.put_role_policy(RoleName=new["role"], PolicyName=new["name"], PolicyDocument=new["policy"])
    return f"{new['role']}:{new['name']}"


@gone("NoSuchEntity")
def role_policy_read(aws: Aws, resource: str, state: Values) -> Values:
    role, _, name = resource.partition(":")
    found = aws.iam.get_role_policy(RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": _policy(found["PolicyDocument"])}


def role_policy_delete(aws: Aws, resource: str, state: Values) -> None:
    role, _, name = resource.partition(":")
    aws.iam.delete_role_policy(RoleName=role, PolicyName=name)


ROLE_POLICY = Kind(
    plain("role", "name", "policy"),
    role_policy_put,
    role_policy_read,
    role_policy_delete,
    lambda aws, resource, old, new: role_policy_put(aws, new),
    required=("role", "policy"),
    replaces=frozenset({"role", "name"}),
    policies=frozenset({"policy"}),
    autoname=("name", 128),
)


def profile_create(aws: Aws, new: Values) -> str:
    aws.iam.create_instance_profile(InstanceProfileName=new["name"], Path=new["path"], Tags=aws.tag_list(new))
    aws.iam.add_role_to_instance_profile(InstanceProfileName=new["name"], RoleName=new["role"])
    return str(new["name"])


@gone("NoSuchEntity")
def profile_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.iam.get_instance_profile(InstanceProfileName=resource)["InstanceProfile"]
    roles = [one["RoleName"] for one in found["Roles"]]
    return {
        "arn": found["Arn"],
        "name": found["InstanceProfileName"],
        "path": found["Path"],
        "role": roles[0] if roles else "",
        **aws.tagged(state, found.get("Tags", [])),
    }


def profile_delete(aws: Aws, resource: str, state: Values) -> None:
    for one in aws.iam.get_instance_profile(InstanceProfileName=resource)["InstanceProfile"]["Roles"]:
        aws.iam.remove_role_from_instance_profile(InstanceProfileName=resource, RoleName=one["RoleName"])
    aws.iam.delete_instance_profile(InstanceProfileName=resource)


PROFILE = Kind(
    plain("name", "path", "role", "tags"),
    profile_create,
    profile_read,
    profile_delete,
    lambda aws, resource, old, new: aws.iam.tag_instance_profile(InstanceProfileName=resource, Tags=aws.tag_list(new)),
    replaces=frozenset({"name", "path"}),
    computed=("arn",),
    defaults={"path": "/"},
    autoname=("name", 128),
)


def template_create(aws: Aws, new: Values) -> str:
    made = aws.ec2.create_launch_template(
        LaunchTemplateName=new["name"],
        LaunchTemplateData=_data(new),
        TagSpecifications=aws.specification(new, "launch-template"),
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def template_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    """A new version. moto merges nothing into one: all of it is given each time."""
    if _data(old) != _data(new):
        made = aws.ec2.create_launch_template_version(LaunchTemplateId=resource, LaunchTemplateData=_data(new))
        if new["updateDefaultVersion"]:
            number = str(made["LaunchTemplateVersion"]["VersionNumber"])
            aws.ec2.modify_launch_template(LaunchTemplateId=resource, DefaultVersion=number)
    aws.retag(resource, old, new)


@gone("InvalidLaunchTemplateId.NotFound")
def template_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.ec2.describe_launch_templates(LaunchTemplateIds=[resource])["LaunchTemplates"][0]
    versions = aws.ec2.describe_launch_template_versions(LaunchTemplateId=resource, Versions=["$Latest"])
    data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return {
        "arn": aws.arn("ec2", f"launch-template/{resource}"),
        "name": found["LaunchTemplateName"],
        "latestVersion": found["LatestVersionNumber"],
        "defaultVersion": found["DefaultVersionNumber"],
        **{ours: data[theirs] for ours, theirs in TEMPLATE.items() if theirs in data},
        **aws.tagged(state, found.get("Tags", [])),
    }


def _data(new: Values) -> dict[str, Any]:
    """LaunchTemplateData."""
    data = renamed(new, TEMPLATE)
    if new.get("iamInstanceProfile"):
        data["IamInstanceProfile"] = {"Arn": new["iamInstanceProfile"]["arn"]}
    if new.get("metadataOptions"):
        data["MetadataOptions"] = renamed(new["metadataOptions"], METADATA)
    if new.get("creditSpecification"):
        data["CreditSpecification"] = {"CpuCredits": new["creditSpecification"]["cpuCredits"]}
    data["BlockDeviceMappings"] = [
        {"DeviceName": one["deviceName"], "Ebs": _disk(one["ebs"])} for one in new.get("blockDeviceMappings") or []
    ]
    data["TagSpecifications"] = [
        {"ResourceType": one["resourceType"], "Tags": [{"Key": k, "Value": v} for k, v in sorted(one["tags"].items())]}
        for one in new.get("tagSpecifications") or []
    ]
    return data


def _disk(ebs: Values) -> dict[str, Any]:
    """The real provider takes truths as texts here."""
    truths = {"encrypted": "Encrypted", "deleteOnTermination": "DeleteOnTermination"}
    return {**renamed(ebs, DISK), **{theirs: ebs[ours] == "true" for ours, theirs in truths.items() if ours in ebs}}


LAUNCH_TEMPLATE = Kind(
    {
        **plain(*TEMPLATE, "name", "updateDefaultVersion", "tags"),
        "iamInstanceProfile": plain("arn"),
        "metadataOptions": plain(*METADATA),
        "creditSpecification": plain("cpuCredits"),
        "blockDeviceMappings": {"deviceName": None, "ebs": plain(*DISK, "encrypted", "deleteOnTermination")},
        "tagSpecifications": plain("resourceType", "tags"),
    },
    template_create,
    template_read,
    lambda aws, resource, state: aws.ec2.delete_launch_template(LaunchTemplateId=resource),
    template_update,
    replaces=frozenset({"name"}),
    sets=frozenset({"vpcSecurityGroupIds"}),
    computed=("arn", "latestVersion", "defaultVersion"),
    moving=("latestVersion", "defaultVersion"),
    defaults={"updateDefaultVersion": False},
    autoname=("name", 128),
)


def group_create(aws: Aws, new: Values) -> str:
    """Empty at first, so that its first hosts meet its hooks: as the real provider does it."""
    empty = dict.fromkeys(SIZES.values(), 0)
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=new["name"],
        LaunchTemplate=_template(new),
        VPCZoneIdentifier=",".join(new["vpcZoneIdentifiers"]),
        TargetGroupARNs=new.get("targetGroupArns") or [],
        HealthCheckType=new["healthCheckType"],
        Tags=_tags(new),
        **empty,
    )
    for hook in new.get("initialLifecycleHooks") or []:
        aws.autoscaling.put_lifecycle_hook(
            AutoScalingGroupName=new["name"],
            LifecycleHookName=hook["name"],
            LifecycleTransition=hook["lifecycleTransition"],
            HeartbeatTimeout=hook["heartbeatTimeout"],
            DefaultResult=hook["defaultResult"],
        )
    aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName=new["name"], **renamed(new, SIZES))
    _suspend(aws, new["name"], {}, new)
    return str(new["name"])


def _template(new: Values) -> dict[str, str]:
    return {"LaunchTemplateId": new["launchTemplate"]["id"], "Version": new["launchTemplate"]["version"]}


def _tags(new: Values) -> list[dict[str, Any]]:
    """Of groups the provider's own tags are none."""
    return [
        {
            "Key": one["key"],
            "Value": one["value"],
            "PropagateAtLaunch": one["propagateAtLaunch"],
            "ResourceId": new["name"],
            "ResourceType": "auto-scaling-group",
        }
        for one in new.get("tags") or []
    ]


def _suspend(aws: Aws, name: str, old: Values, new: Values) -> None:
    before, after = set(old.get("suspendedProcesses") or []), set(new.get("suspendedProcesses") or [])
    if before - after:
        aws.autoscaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=sorted(before - after))
    if after - before:
        aws.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=sorted(after - before))


def _attach(aws: Aws, name: str, old: Values, new: Values) -> None:
    before, after = set(old.get("targetGroupArns") or []), set(new.get("targetGroupArns") or [])
    words = {"AutoScalingGroupName": name}
    if before - after:
        aws.autoscaling.detach_load_balancer_target_groups(TargetGroupARNs=sorted(before - after), **words)
    if after - before:
        aws.autoscaling.attach_load_balancer_target_groups(TargetGroupARNs=sorted(after - before), **words)


def group_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "initialLifecycleHooks"):
        raise Refused("the real provider sets initialLifecycleHooks at creation only")
    aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=resource,
        LaunchTemplate=_template(new),
        VPCZoneIdentifier=",".join(new["vpcZoneIdentifiers"]),
        HealthCheckType=new["healthCheckType"],
        **renamed(new, SIZES),
    )
    if changed(old, new, "tags"):
        aws.autoscaling.create_or_update_tags(Tags=_tags(new))
    _attach(aws, resource, old, new)
    _suspend(aws, resource, old, new)


@gone()
def group_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[resource])["AutoScalingGroups"][0]
    used = found.get("LaunchTemplate") or {}
    return {
        "arn": found["AutoScalingGroupARN"],
        "name": resource,
        "launchTemplate": {"id": used.get("LaunchTemplateId"), "version": used.get("Version")},
        "vpcZoneIdentifiers": found["VPCZoneIdentifier"].split(","),
        "healthCheckType": found["HealthCheckType"],
        "suspendedProcesses": [one["ProcessName"] for one in found["SuspendedProcesses"]],
        **{ours: found[theirs] for ours, theirs in SIZES.items()},
    }


def group_delete(aws: Aws, resource: str, state: Values) -> None:
    """AWS lets no group go that has hosts: the real provider sends them away first, and waits."""
    aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=resource, **dict.fromkeys(("MinSize", "MaxSize", "DesiredCapacity"), 0)
    )
    end = time.monotonic() + PATIENCE
    while _hosts(aws, resource):
        if time.monotonic() > end:
            raise Refused(f"ResourceInUse: {resource} still has {_hosts(aws, resource)}")
        time.sleep(0.1)
    aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=resource)


def _hosts(aws: Aws, group: str) -> list[str]:
    found = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return [one["InstanceId"] for each in found for one in each["Instances"]]


GROUP = Kind(
    {
        **plain(*SIZES, "name", "vpcZoneIdentifiers", "targetGroupArns", "healthCheckType", "suspendedProcesses"),
        **plain("waitForCapacityTimeout", "healthCheckGracePeriod", "forceDelete"),
        "launchTemplate": plain("id", "version"),
        "initialLifecycleHooks": plain("name", "lifecycleTransition", "heartbeatTimeout", "defaultResult"),
        "tags": plain("key", "value", "propagateAtLaunch"),
    },
    group_create,
    group_read,
    group_delete,
    group_update,
    required=("minSize", "maxSize"),
    replaces=frozenset({"name"}),
    sets=frozenset({"vpcZoneIdentifiers", "targetGroupArns", "suspendedProcesses"}),
    computed=("arn",),
    autoname=("name", 255),
)
