"""What a host may do: read the ledger, write what is its own there, and speak for itself to its group."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.noun import Noun
from infra.names import name

PATH = "/deployer/"
OF_GROUPS = [
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:RecordLifecycleActionHeartbeat",
    "autoscaling:SetInstanceHealth",
]
ITSELF = "${aws:userid}"  # `ROLE-ID:i-0123`: of a role on an instance, the part after the colon is the instance


class HostRole:
    """The role of a noun's hosts; `profile` is what a launch template names."""

    def __init__(self, noun: Noun, bucket: pulumi.Input[str], *, takes_address: bool) -> None:
        role = aws.iam.Role(
            name(noun.space, "role", "host"),
            path=PATH,
            assume_role_policy=json.dumps(may_be_assumed()),
            tags=noun.tags("host"),
            opts=noun.inside,
        )
        policy = pulumi.Output.from_input(bucket).apply(
            lambda arn: json.dumps(may(arn, noun.space, takes_address=takes_address))
        )
        self.policy = aws.iam.RolePolicy("host", role=role.name, policy=policy, opts=noun.inside)
        self.profile = aws.iam.InstanceProfile(
            name(noun.space, "instance-profile", "host"),
            path=PATH,
            role=role.name,
            tags=noun.tags("host"),
            opts=noun.inside,
        )


def may_be_assumed() -> dict[str, Any]:
    """By EC2, for its instances."""
    ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [ec2]}


def may(bucket: str, space: str, *, takes_address: bool) -> dict[str, Any]:
    """The policy, over the ARN of the store's bucket. A host cannot write releases, the agent, or the registration of
    another host."""
    own = [f"{bucket}/hosts/{ITSELF}", f"{bucket}/hosts/{ITSELF}/*"]
    statements = [
        _allow("ReadTheLedger", ["s3:GetObject"], [f"{bucket}/*"]),
        _allow("ListTheLedger", ["s3:ListBucket"], [bucket]),
        _allow("RegisterItself", ["s3:PutObject"], own),
        _allow("SitAndReport", ["s3:PutObject"], [f"{bucket}/seats/*", f"{bucket}/apps/*/releases/*.result"]),
        {**_allow("SpeakToItsGroup", OF_GROUPS, ["*"]), **_tagged("autoscaling:ResourceTag", space)},
    ]
    if takes_address:
        address = _allow("TakeTheAddress", ["ec2:AssociateAddress"], ["arn:aws:ec2:*:*:elastic-ip/*"])
        machine = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:network-interface/*"]
        statements.append({**address, **_tagged("aws:ResourceTag", space)})
        statements.append(_allow("TakeTheAddressItself", ["ec2:AssociateAddress"], machine))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _tagged(key: str, space: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {f"{key}/deployer:space": space}}}
