"""The role of a space's hosts: what it may do is in infra.policies, and at most what its boundary lets it."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.components.noun import Noun
from infra.names import name
from infra.policies import PATH, may, may_be_assumed


class HostRole:
    """The role of a noun's hosts; `profile` is what a launch template names."""

    def __init__(self, noun: Noun, bucket: pulumi.Input[str], boundary: str | None, *, takes_address: bool) -> None:
        role = aws.iam.Role(
            name(noun.space, "role", "host"),
            path=PATH,
            assume_role_policy=json.dumps(may_be_assumed()),
            permissions_boundary=boundary,
            tags=noun.tags("host"),
            opts=noun.inside,
        )
        policy = pulumi.Output.from_input(bucket).apply(
            lambda arn: json.dumps(may(arn, noun.space, takes_address=takes_address))
        )
        # A name of its own: where its making was cut off, the next run writes it over, and no second one keeps the role
        # from being deleted.
        self.policy = aws.iam.RolePolicy("host", name="host", role=role.name, policy=policy, opts=noun.inside)
        self.profile = aws.iam.InstanceProfile(
            name(noun.space, "instance-profile", "host"),
            path=PATH,
            role=role.name,
            tags=noun.tags("host"),
            opts=noun.inside,
        )
