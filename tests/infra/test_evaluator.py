"""The evaluator keeps to what AWS documents; and who may do what to the buckets of a space, for any key."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deployer.spaces.aws.roles import Role, policy
from deployer.spaces.aws.scope import Scope
from deployer.spaces.aws.tools import STATES
from deployer.store import keys
from infra.names import name
from infra.policies import may, tls_only
from tests.infra.authorization import Space
from tests.infra.evaluator import Policy, allows
from tests.infra.moto_here import ACCOUNT, REGION

MINE, OTHER = Space("production"), Space("staging")
STORE, STATE = MINE.things()["bucket"], MINE.things()["state bucket"]
ROLE = "AROAEXAMPLEROLE"
READ, WRITE, DELETE = "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
CHANGES = (WRITE, DELETE, "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")
HOST = may(STORE, MINE.name, takes_address=True)
NOBODY: Policy = {"Statement": []}


def statement(**parts: Any) -> Policy:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:*", **parts}]}


@pytest.mark.parametrize(
    ("policies", "context", "allowed"),
    [
        ([], {}, False),
        ([statement()], {}, True),
        ([statement(Action=["s3:putobject", "s3:GETOBJECT"])], {}, True),
        ([statement(Action="s3:GetObject?")], {}, False),
        ([statement(Resource="ARN:*")], {}, False),
        ([statement(Resource=["arn:other", "arn:b/?"])], {}, True),
        ([statement(Resource="arn:b/[k]")], {}, False),
        ([statement(), statement(Effect="Deny")], {}, False),
        ([statement(), statement(Effect="Deny", Resource="arn:c/*")], {}, True),
        ([statement(Resource="arn:b/${aws:userid}")], {}, False),
        ([statement(Resource="arn:b/${aws:userid}")], {"aws:userid": "k"}, True),
        ([statement(Resource="arn:b/${aws:userid}")], {"aws:userid": "*"}, False),
        ([statement(Condition={"StringEquals": {"a": ["1", "2"]}})], {"a": "2"}, True),
        ([statement(Condition={"StringEquals": {"a": "*"}})], {"a": "2"}, False),
        ([statement(Condition={"StringLike": {"a": "*"}})], {"a": "2"}, True),
        ([statement(Condition={"StringLike": {"a": "*"}})], {}, False),
        ([statement(Condition={"StringEquals": {"a": "1", "b": "1"}})], {"a": "1"}, False),
        ([statement(Condition={"StringEquals": {"a": "1"}, "Null": {"b": "false"}})], {"a": "1"}, False),
        ([statement(Condition={"StringEquals": {"a": "1"}, "Null": {"b": "true"}})], {"a": "1"}, True),
        ([statement(Condition={"NumericEquals": {"a": "22"}})], {"a": "22"}, True),
        ([statement(Condition={"Bool": {"a": "false"}})], {"a": "False"}, True),
    ],
)
def test_a_request_is_judged_as_aws_does(policies: list[Policy], context: dict[str, str], allowed: bool) -> None:
    assert allows(policies, READ, "arn:b/k", context) == allowed


@pytest.mark.parametrize(
    "unknown",
    [{"NotAction": "s3:*"}, {"Condition": {"DateLessThan": {"a": "1"}}}, {"Effect": "Maybe"}, {"Principal": "x"}],
)
def test_what_it_does_not_know_is_an_error(unknown: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not know"):
        allows([statement(**unknown)], READ, "arn:b/k")


def for_any(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`given`, however busy the machine is."""
    return lambda test: settings(deadline=None)(given(*strategies)(test))


ids = st.from_regex(r"i-[0-9a-f]{1,6}", fullmatch=True).map(lambda one: f"{ROLE}:{one}")
words = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
numbers = st.integers(1, 10**8 - 1)
people = st.one_of(
    st.just(keys.SPACE),
    st.builds(keys.app, words),
    st.builds(keys.current, words),
    st.builds(keys.operation, words),
    st.builds(keys.release, words, numbers),
    st.builds(keys.config, words, words),
    st.builds(keys.slug, words),
    st.builds(keys.addon, words),
    st.builds(keys.uid, numbers),
    st.builds(keys.lease, words | st.just("space")),
    st.builds(keys.audit, words, words),
    st.builds("access/{}".format, words),
    st.builds("agent/{}".format, words),
    st.builds(keys.layer, words),
    st.just(keys.ACCESS),
    st.just(keys.AGENT),
)
"""Keys that only people write."""
anything = people | st.builds(keys.host, ids) | st.builds(keys.seat, numbers) | st.builds(keys.result, words, numbers)


def as_host(host: str) -> dict[str, str]:
    return {"aws:userid": host, "aws:SecureTransport": "true"}


@cache
def role(of: Role, space: Space = MINE) -> Policy:
    return policy(of, Scope(space.name, ACCOUNT, REGION))


@for_any(anything, ids)
def test_a_host_reads_the_whole_ledger_and_nothing_of_the_state(key: str, host: str) -> None:
    assert allows([HOST], READ, f"{STORE}/{key}", as_host(host))
    assert not allows([HOST], READ, f"{STATE}/{key}", as_host(host))
    assert not allows([HOST], "s3:ListBucket", STATE, as_host(host))


@for_any(people, ids, st.sampled_from(CHANGES))
def test_a_host_changes_nothing_that_people_write(key: str, host: str, change: str) -> None:
    for bucket in (STORE, STATE, OTHER.things()["bucket"]):
        assert not allows([HOST], change, f"{bucket}/{key}", as_host(host))


@for_any(ids, ids, st.sampled_from(["", "/state", "/failed"]))
def test_a_host_registers_itself_and_no_other(host: str, other: str, more: str) -> None:
    assume(host != other)
    assert allows([HOST], WRITE, f"{STORE}/{keys.host(host)}{more}", as_host(host))
    assert not allows([HOST], WRITE, f"{STORE}/{keys.host(other)}{more}", as_host(host))
    assert not allows([HOST], WRITE, f"{STORE}/{keys.host('*')}{more}", as_host(host))


@for_any(st.builds(keys.seat, numbers) | st.just(keys.REBOOT) | st.builds(keys.result, words, numbers), ids)
def test_a_host_sits_down_and_reports_and_deletes_nothing(key: str, host: str) -> None:
    assert allows([HOST], WRITE, f"{STORE}/{key}", as_host(host))
    assert [one for one in CHANGES[1:] if allows([HOST], one, f"{STORE}/{key}", as_host(host))] == []


def test_a_host_sees_who_is_in_a_group_and_speaks_to_its_own() -> None:
    group, tag = "arn:aws:autoscaling:::group", "autoscaling:ResourceTag/deployer:space"
    for look in ("DescribeAutoScalingGroups", "DescribeAutoScalingInstances"):
        assert allows([HOST], f"autoscaling:{look}", "*")
    for action in ("CompleteLifecycleAction", "RecordLifecycleActionHeartbeat"):
        assert allows([HOST], f"autoscaling:{action}", group, {tag: MINE.name})
        assert not allows([HOST], f"autoscaling:{action}", group, {tag: OTHER.name})
    assert not allows([HOST], "autoscaling:SetDesiredCapacity", group, {tag: MINE.name})


def test_the_owner_alone_rolls_hosts_of_its_own_group() -> None:
    named = "autoScalingGroup:4d:autoScalingGroupName/{}-0a1b2c3"
    mine, others = (MINE.arn("autoscaling", named.format(name(one.name, "group", "hosts"))) for one in (MINE, OTHER))
    for action in ("UpdateAutoScalingGroup", "TerminateInstanceInAutoScalingGroup"):
        assert allows([role(Role.OWNER)], f"autoscaling:{action}", mine)
        assert not allows([role(Role.OWNER)], f"autoscaling:{action}", others)
        assert not allows([role(Role.DEPLOYER), role(Role.CI), role(Role.PREVIEW), HOST], f"autoscaling:{action}", mine)
    looks = {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeScalingActivities",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "elasticloadbalancing:DescribeTargetHealth",
    }
    assert [one for one in looks if not allows([role(Role.OWNER)], one, "*", {"aws:RequestedRegion": REGION})] == []


def test_a_host_takes_the_address_of_its_space_where_nothing_stands_before_it() -> None:
    address, tag = "arn:aws:ec2:eu-central-1:1:elastic-ip/eipalloc-1", "aws:ResourceTag/deployer:space"
    assert allows([HOST], "ec2:DescribeAddresses", "*")
    assert allows([HOST], "ec2:AssociateAddress", address, {tag: MINE.name})
    assert not allows([HOST], "ec2:AssociateAddress", address, {tag: OTHER.name})
    behind = may(STORE, MINE.name, takes_address=False)
    assert not allows([behind], "ec2:DescribeAddresses", "*")
    for key in (keys.certificate("*.shop.test"), keys.ACCOUNT, keys.CERTIFICATES_CHANGED):
        assert allows([HOST], "s3:PutObject", f"{STORE}/{key}"), key
        assert not allows([behind], "s3:PutObject", f"{STORE}/{key}"), "AWS has those of a load balancer"


@for_any(anything, ids, st.sampled_from([READ, *CHANGES, "s3:ListBucket"]))
def test_a_host_of_another_space_gets_nothing(key: str, host: str, action: str) -> None:
    others = may(OTHER.things()["bucket"], OTHER.name, takes_address=True)
    for resource in (STORE, STATE, f"{STORE}/{key}", f"{STATE}/{key}"):
        assert not allows([others], action, resource, as_host(host))


@for_any(anything)
def test_who_works_on_apps_reads_the_ledger_and_never_the_passphrase(key: str) -> None:
    for one in (Role.DEPLOYER, Role.CI):
        assert allows([role(one)], READ, f"{STORE}/{key}")
        assert allows([role(one)], READ, f"{STATE}/{keys.SPACE}")
        assert not allows([role(one)], READ, f"{STATE}/{STATES}/{key}")
        assert allows([role(one)], "ssm:GetParameter", MINE.arn("ssm", "parameter/deployer/production/state"))
        assert not allows([role(one)], "ssm:GetParameter", MINE.arn("ssm", "parameter/deployer/production/passphrase"))


@for_any(anything)
def test_a_developer_writes_what_is_of_apps_alone(key: str) -> None:
    of_apps = ("apps/", "slugs/", "layers/", "addons/", "uids/", "audit/", "leases/app-", keys.ACCESS)
    assert allows([role(Role.DEPLOYER)], WRITE, f"{STORE}/{key}") == key.startswith(of_apps)
    assert allows([role(Role.DEPLOYER)], DELETE, f"{STORE}/{key}") == key.startswith(("apps/", "addons/", "layers/"))
    assert allows([role(Role.DEPLOYER)], WRITE, f"{STATE}/{key}") == key.startswith("audit/")
    assert not allows([role(Role.DEPLOYER)], DELETE, f"{STATE}/{key}")


@for_any(anything, st.sampled_from([READ, *CHANGES]), st.sampled_from([STORE, STATE]))
def test_ci_may_do_less_than_a_developer(key: str, action: str, bucket: str) -> None:
    if allows([role(Role.CI)], action, f"{bucket}/{key}"):
        assert allows([role(Role.DEPLOYER)], action, f"{bucket}/{key}")
        assert action == READ or not key.startswith((keys.ADDONS, keys.UIDS))
        assert action != DELETE or key.endswith("/operation") or key.startswith("layers/")


@for_any(words, numbers)
def test_ci_writes_all_that_a_release_takes(app: str, number: int) -> None:
    wanted = [
        keys.current(app),
        keys.operation(app),
        keys.release(app, number),
        keys.result(app, number),
        keys.config(app, "d1"),
        keys.slug("d1"),
        keys.lease(f"app-{app}"),
        keys.audit("2026", "1"),
    ]
    assert [key for key in wanted if not allows([role(Role.CI)], WRITE, f"{STORE}/{key}")] == []


@for_any(anything)
def test_a_preview_reads_the_specification_and_pulumis_state_and_no_ledger(key: str) -> None:
    looks = [role(Role.PREVIEW)]
    assert allows(looks, READ, f"{STATE}/{key}") == (key == keys.SPACE)
    assert allows(looks, READ, f"{STATE}/{STATES}/.pulumi/stacks/deployer/production.json")
    assert not allows(looks, READ, f"{STORE}/{key}")
    assert [one for one in CHANGES for bucket in (STORE, STATE) if allows(looks, one, f"{bucket}/{key}")] == []


@for_any(anything, st.sampled_from([READ, *CHANGES]))
def test_the_owner_keeps_both_buckets_and_nobody_elses(key: str, action: str) -> None:
    assert allows([role(Role.OWNER)], action, f"{STORE}/{key}") and allows([role(Role.OWNER)], action, f"{STATE}/{key}")
    for bucket in (OTHER.things()["bucket"], OTHER.things()["state bucket"], "arn:aws:s3:::of-the-firm"):
        assert not allows([role(Role.OWNER)], action, f"{bucket}/{key}")


@for_any(anything, st.sampled_from(list(Role)), st.sampled_from([READ, *CHANGES]))
def test_an_outsider_gets_nothing(key: str, of: Role, action: str) -> None:
    """Somebody of another space, and one without any policy."""
    for bucket in (STORE, STATE):
        assert not allows([role(of, OTHER)], action, f"{bucket}/{key}")
        assert not allows([NOBODY], action, f"{bucket}/{key}")


@for_any(anything, st.sampled_from(list(Role)), ids)
def test_without_tls_nobody_gets_anything(key: str, of: Role, host: str) -> None:
    of_bucket = json.loads(tls_only(STORE))
    for who in (role(of), HOST):
        for action in (READ, *CHANGES):
            context = {"aws:userid": host, "aws:SecureTransport": "false"}
            assert not allows([who, of_bucket], action, f"{STORE}/{key}", context)
    assert allows([role(Role.OWNER), of_bucket], READ, f"{STORE}/{key}", {"aws:SecureTransport": "true"})


spaces = st.from_regex(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True)
suffixes = st.sampled_from(["-state", "-store", "-host", "-database", "-hosts", "-0a1b2c3", "-postgres17"])


@for_any(spaces, st.integers(10, 99))
def test_names_of_a_space_fit_its_own_patterns(space: str, major: int) -> None:
    """Also those that had to be changed, since AWS does not take them."""
    owner = [policy(Role.OWNER, Scope(space, ACCOUNT, REGION))]
    mine, digits = Space(space), "0a1b2c3"
    front, targets = (name(space, kind) for kind in ("load-balancer", "target-group"))
    parameters = name(space, "parameter-group", f"postgres{major}")
    wanted = {
        f"arn:aws:s3:::{name(space, 'bucket', 'store')}-{digits}": "s3:PutBucketPolicy",
        f"arn:aws:s3:::{name(space, 'bucket', 'state')}-{digits[:6]}": "s3:PutBucketPolicy",
        f"arn:aws:iam::{ACCOUNT}:role/deployer/{name(space, 'role', 'host')}-{digits}": "iam:DeleteRole",
        f"arn:aws:budgets::{ACCOUNT}:budget/{name(space, 'budget')}-{digits}": "budgets:ModifyBudget",
        mine.arn("rds", f"db:{name(space, 'database')}-{digits}"): "rds:DeleteDBInstance",
        mine.arn("rds", f"subgrp:{name(space, 'subnet-group', 'database')}-{digits}"): "rds:DeleteDBSubnetGroup",
        mine.arn("rds", f"pg:{parameters}-{digits}"): "rds:ModifyDBParameterGroup",
        mine.arn("elasticloadbalancing", f"loadbalancer/app/{front}-{digits}/50dc"): "elasticloadbalancing:AddTags",
        mine.arn("elasticloadbalancing", f"targetgroup/{targets}-{digits}/50dc"): "elasticloadbalancing:AddTags",
    }
    assert [arn for arn, action in wanted.items() if not allows(owner, action, arn)] == []


@for_any(spaces, spaces, st.none() | suffixes)
def test_names_of_one_space_never_fit_the_patterns_of_another(one: str, other: str, suffix: str | None) -> None:
    """Not even of one that is called like what the first one's things are called."""
    other = f"{one}{suffix}"[:30] if suffix else other
    assume(one != other)
    owner = [policy(Role.OWNER, Scope(one, ACCOUNT, REGION))]
    things = Space(other)
    store, state = (
        f"arn:aws:s3:::{name(other, 'bucket', kind)}-{n}" for kind, n in (("store", "0a1b2c3"), ("state", "0a1b2c"))
    )
    for resource, action in ((store, "s3:PutBucketPolicy"), (state, "s3:PutBucketPolicy"), (f"{state}/x", WRITE)):
        assert not allows(owner, action, resource)
    role_of_hosts = f"arn:aws:iam::{ACCOUNT}:role/deployer/{name(other, 'role', 'host')}-0a1b2c3"
    assert not allows(owner, "iam:PutRolePolicy", role_of_hosts)
    database = things.arn("rds", f"db:{name(other, 'database')}-0a1b2c3")
    assert not allows(owner, "rds:DeleteDBInstance", database)
    group = f"autoScalingGroup:4d:autoScalingGroupName/{name(other, 'group', 'hosts')}-0a1b2c3"
    assert not allows(owner, "autoscaling:DeleteAutoScalingGroup", things.arn("autoscaling", group))
    front = things.arn("elasticloadbalancing", f"loadbalancer/app/{name(other, 'load-balancer')}-0a1b2c3/50dc")
    assert not allows(owner, "elasticloadbalancing:DeleteLoadBalancer", front)
