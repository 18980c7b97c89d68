"""What hosts may do: a call that a role makes is held to the role's policies, as AWS holds it. moto lets all pass.

Who is no role is a person, and may do everything. Of a role the policies within it count, and its boundary, which
allows nothing by itself (IAM User Guide, `Permissions boundaries for IAM entities`), by tests/infra/evaluator.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.box.scaling import backends
from tests.infra.evaluator import allows
from tests.infra.gate import Asked, Says

ALWAYS = ("sts",)  # GetCallerIdentity needs no permission
S3 = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject", "POST": "DeleteObject"}
NOBODY = "because no identity-based policy allows the {action} action"
BEYOND = "because no permissions boundary allows the {action} action"
Thing = tuple[str, Mapping[str, str]]  # an ARN, and what the request says of it


def refusal(asked: Asked) -> Says | None:
    """AWS's answer to a host that may not do it."""
    who = _role_of(asked.key)
    if who is None or asked.service in ALWAYS:
        return None
    role, session = who
    action, things = (_of_s3 if asked.service == "s3" else _of_others)(asked)
    for resource, context in things:
        if why := _why_not(role, action, resource, {"aws:userid": session.user_id, **context}):
            reason = why.format(action=action)
            message = f'User: {session.arn} is not authorized to perform: {action} on resource: "{resource}" {reason}'
            return Says(403, "UnauthorizedOperation" if asked.service == "ec2" else "AccessDenied", message)
    return None


def _why_not(role: Any, action: str, resource: str, context: Mapping[str, str]) -> str:
    """What forbids it; empty where nothing does."""
    policies = [json.loads(one) if isinstance(one, str) else one for one in role.policies.values()]
    if not allows(policies, action, resource, context):
        return NOBODY
    limit = role.permissions_boundary_arn
    if limit and not allows([_managed(limit)], action, resource, context):
        return BEYOND
    return ""


def _managed(arn: str) -> Any:
    """What a policy of the account's says, which has one version."""
    [found] = [one for iam in backends("iam") for one in iam.managed_policies.values() if one.arn == arn]
    return json.loads(found.versions[0].document)


def _role_of(key: str) -> Any:
    """The role that has this key, and the session."""
    for backend in backends("sts"):
        if session := backend.get_assumed_role_from_access_key(key):
            roles = [one for iam in backends("iam") for one in iam.get_roles() if one.arn == session.role_arn]
            return (roles[0], session) if roles else None
    return None


def _of_s3(asked: Asked) -> tuple[str, list[Thing]]:
    method, _, path = asked.operation.partition(" ")
    bucket, _, key = path.lstrip("/").partition("/")
    if not key:
        return "s3:ListBucket" if method in ("GET", "HEAD") else f"s3:{method}", [(f"arn:aws:s3:::{bucket}", {})]
    action, context = S3[method], {}
    if method == "PUT" or (method == "POST" and asked.words.keys() & {"uploads", "uploadId"}):
        is_creation = "uploads" not in asked.words and "partNumber" not in asked.words
        action, context = "PutObject", {"s3:ObjectCreationOperation": str(is_creation).lower()}
        if "If-None-Match" in asked.words:
            context["s3:if-none-match"] = asked.words["If-None-Match"]
    elif method == "DELETE" and "uploadId" in asked.words:
        action = "AbortMultipartUpload"
    return f"s3:{action}", [(f"arn:aws:s3:::{bucket}/{key}", context)]


def _of_others(asked: Asked) -> tuple[str, list[Thing]]:
    action = f"{asked.service}:{asked.operation}"
    if action == "ec2:AssociateAddress":
        return action, list(_of_address(asked))
    if asked.service == "autoscaling" and not asked.operation.startswith("Describe"):
        return action, [_group(asked)]
    return action, [("*", {})]


def _of_address(asked: Asked) -> Iterator[Thing]:
    """The address, and what it goes to."""
    for backend in backends("ec2"):
        for one in backend.addresses:
            if one.allocation_id == asked.words.get("AllocationId"):
                tags = {f"aws:ResourceTag/{tag['key']}": tag["value"] for tag in one.get_tags()}
                yield f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:elastic-ip/{one.allocation_id}", tags
    for name, kind in (("InstanceId", "instance"), ("NetworkInterfaceId", "network-interface")):
        if name in asked.words:
            yield f"arn:aws:ec2:eu-central-1:123456789012:{kind}/{asked.words[name]}", {}


def _group(asked: Asked) -> Thing:
    """The group that is named, or that the instance is in."""
    for backend in backends("autoscaling"):
        for group in list(backend.autoscaling_groups.values()):
            inside = [one.instance_id for one in list(group.instance_states)]
            if group.name == asked.words.get("AutoScalingGroupName") or asked.words.get("InstanceId") in inside:
                return group.arn, {f"autoscaling:ResourceTag/{tag['Key']}": tag["Value"] for tag in group.tags}
    return "*", {}
