"""What commands on a space in AWS ask of AWS, in a cloud on loopback: no more than `iam:policy` prints for the role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from deployer.operations import cloud_change
from deployer.spaces.aws.roles import Role, policy
from deployer.spaces.aws.scope import Scope
from tests.cli.test_cloud import Laptop
from tests.infra.asked import asked
from tests.infra.authorization import WRITES, Space
from tests.infra.cloud_here import cloud
from tests.infra.evaluator import allows
from tests.infra.moto_here import ACCOUNT, REGION, issue_certificates
from tests.infra.seen import Seen, watching

pytestmark = pytest.mark.edge
SPACE = """
[space.production]
region = "eu-central-1"
account = "123456789012"
hosts = { size = "t4g.small", count = 2 }
database = { size = "db.t4g.micro" }
load-balancer = true
domain = "example.com"
budget = { monthly = 60, email = "me@example.com" }
"""
ONE_HOST = """
[space.production]
region = "eu-central-1"
hosts = { size = "t4g.small" }
"""
NAMED = ("--space", "production")
MINE = Space("production")


def refused(role: Role, calls: Iterable[Seen]) -> list[str]:
    """What a role may not do of what was done."""
    printed = policy(role, Scope("production", ACCOUNT, REGION))
    questions = {f"{one.action} {one.resource} {one.context}": one for call in calls for one in asked(call, MINE)}
    return [
        said for said, one in sorted(questions.items()) if not allows([printed], one.action, one.resource, one.context)
    ]


def actions(calls: Iterable[Seen]) -> set[str]:
    return {one.action for call in calls for one in asked(call, MINE)}


def has_a_further_domain(laptop: Laptop) -> None:
    """An app gets one that takes a certificate and records of its own, and loses it again."""
    name, tools = "www.shop.example.com", laptop.here.tools(laptop.folder.parent)
    for domains in ((name,), (name,), ()):
        alter = partial(replace, domains=domains)
        found = cloud_change.propose(tools, "production", REGION, "domains:add", alter)
        assert found.changes, "a certificate and its records, then that it is shown, then that all of it goes"
        cloud_change.carry_out(tools, found, lambda event: None)
        issue_certificates(REGION)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("described", "least"), [(SPACE, 75), (ONE_HOST, 50)], ids=["everything", "one host"])
def test_a_space_takes_no_more_than_the_policies_allow(
    described: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "home-of-deployer"))
    (tmp_path / "work").mkdir()
    with cloud() as here:
        laptop = Laptop(here, tmp_path / "work")

        def types(*words: str) -> None:
            assert laptop.run(*words) == 0, laptop.err

        laptop.says(described)
        types("iam:policy", "hosts", "--space", "production")
        iam, held = here.client("iam"), f"arn:aws:iam::{ACCOUNT}:policy/deployer/deployer-production-hosts"
        iam.create_policy(PolicyName="deployer-production-hosts", Path="/deployer/", PolicyDocument=laptop.out)
        here.client("route53").create_hosted_zone(Name="example.com", CallerReference="once")
        with watching() as owner:
            types("up", *NAMED, "--yes")
            if "load-balancer" in described:
                has_a_further_domain(laptop)
            laptop.says(described.replace("t4g.small", "t4g.medium"))
        [role] = iam.list_roles(PathPrefix="/deployer/")["Roles"]
        assert iam.get_role(RoleName=role["RoleName"])["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == held
        with watching() as looker:
            types("preview", *NAMED)
            types("spaces:refresh", "production")
        with watching() as worker:
            assert laptop.run("doctor", *NAMED) == 1, "nobody boots here"
        with watching() as more:
            types("up", *NAMED, "--yes")
            types("hosts:roll", *NAMED, "--yes")
            types("spaces:unlock", "production")
            types("down", *NAMED, "--confirm", "production")
    assert "autoscaling:DescribeScalingActivities" in actions(worker) and refused(Role.DEPLOYER, worker) == []
    owner += looker + more + worker
    assert {one.by for one in owner} == {"boto3", "engine"}
    assert len(actions(owner) & WRITES) > least / 2 and len(actions(owner)) > least
    assert refused(Role.OWNER, owner) == []
    assert looker and not actions(looker) & WRITES
    assert refused(Role.PREVIEW, looker) == []
    assert refused(Role.PREVIEW, owner) and refused(Role.DEPLOYER, owner)
