"""Security groups and their rules, one resource each: rules of one group may name another that is made later."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from infra.components.network import EVERYWHERE
from infra.components.noun import Noun
from infra.names import name


def group(noun: Noun, suffix: str, about: str, vpc: Any) -> aws.ec2.SecurityGroup:
    """A security group that lets nothing in and nothing out."""
    return aws.ec2.SecurityGroup(
        name(noun.space, "security-group", suffix),
        description=about,
        vpc_id=vpc,
        revoke_rules_on_delete=True,
        tags=noun.tags(suffix),
        opts=noun.inside,
    )


def allow_in(noun: Noun, logical: str, to: Any, ports: tuple[int, int], **source: Any) -> None:
    """Let TCP in at these ports; `source` is `cidr_ipv4` or `referenced_security_group_id`."""
    aws.vpc.SecurityGroupIngressRule(
        logical,
        security_group_id=to,
        ip_protocol="tcp",
        from_port=ports[0],
        to_port=ports[1],
        tags=noun.tags(logical),
        opts=noun.inside,
        **source,
    )


def allow_out(noun: Noun, logical: str, of: Any, ports: tuple[int, int] | None = None, **target: Any) -> None:
    """Let TCP out at these ports; everything to everywhere where none are named."""
    if ports is None:
        where: dict[str, Any] = {"ip_protocol": "-1", "cidr_ipv4": EVERYWHERE}
    else:
        where = {"ip_protocol": "tcp", "from_port": ports[0], "to_port": ports[1], **target}
    aws.vpc.SecurityGroupEgressRule(logical, security_group_id=of, tags=noun.tags(logical), opts=noun.inside, **where)
