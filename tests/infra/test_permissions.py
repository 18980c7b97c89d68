"""What the four roles may do: all that they need, on what is theirs, and no change of anything else."""

from __future__ import annotations

import json
from functools import cache

import pytest

from deployer.spaces.aws.roles import Role, policy
from deployer.spaces.aws.scope import Scope
from infra import permissions
from infra.kinds import WORDS
from infra.policies import boundary, may
from tests.infra.authorization import RESOURCES, WRITES, Asked, Space
from tests.infra.evaluator import Policy, allows
from tests.infra.moto_here import ACCOUNT, REGION

ROOM = 6144  # characters of a managed policy, without white space (IAM User Guide, `IAM and AWS STS quotas`)
MINE, OTHER = Space("production"), Space("staging")
SCOPES = {
    "a space": Scope("production", ACCOUNT, REGION),
    "the longest": Scope("p" + "1" * 29, ACCOUNT, "ap-southeast-7"),
    "all": Scope(),
}


@cache
def of(role: Role, scope: Scope = SCOPES["a space"]) -> Policy:
    return policy(role, scope)


def denied(role: Policy, questions: list[Asked]) -> list[str]:
    return [
        f"{one.action} {one.resource}" for one in questions if not allows([role], one.action, one.resource, one.context)
    ]


@pytest.mark.parametrize("scope", SCOPES.values(), ids=list(SCOPES))
@pytest.mark.parametrize("role", Role)
def test_it_fits_into_a_managed_policy(role: Role, scope: Scope) -> None:
    assert len("".join(json.dumps(of(role, scope)).split())) < ROOM


@pytest.mark.parametrize("role", Role)
def test_statements_have_names_of_their_own(role: Role) -> None:
    names = [one["Sid"] for one in of(role)["Statement"]]
    assert len(set(names)) == len(names) and all(name.isalnum() for name in names)


def test_every_type_of_the_program_has_its_actions() -> None:
    assert permissions.CALLS.keys() == WORDS.keys()


def test_every_action_is_one_that_aws_has() -> None:
    assert not (permissions.reads() | permissions.writes()) - RESOURCES.keys()
    assert not permissions.reads() & WRITES


@pytest.mark.parametrize("scope", [SCOPES["a space"], SCOPES["all"]], ids=["a space", "all"])
def test_the_owner_may_do_all_that_the_program_takes(scope: Scope) -> None:
    """Also what the emulator never does: on each thing of the space's that AWS asks about."""
    takes = permissions.reads() | permissions.writes()
    assert denied(of(Role.OWNER, scope), [one for action in sorted(takes) for one in MINE.asks(action)]) == []


def test_the_owner_makes_and_deletes_what_one_addon_has_to_itself() -> None:
    """And has its last snapshot made, and fills another one with that."""
    own = MINE.things()
    named = {"db": own["own db"], "snapshot": own["own snapshot"]}
    does = ["Create", "Modify", "Delete"]
    calls = [*(f"rds:{one}DBInstance" for one in does), "rds:CreateDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot"]
    questions = [one for action in calls for one in MINE.asks(action, named=named)]
    assert {one.resource for one in questions} >= set(named.values())
    assert denied(of(Role.OWNER), questions) == []


def test_a_preview_may_read_all_that_the_program_reads() -> None:
    questions = [one for action in sorted(permissions.reads()) for one in MINE.asks(action)]
    assert denied(of(Role.PREVIEW), questions) == []


@pytest.mark.parametrize("role", Role)
def test_nobody_changes_anything_of_another_space(role: Role) -> None:
    changes = sorted(WRITES & RESOURCES.keys())
    changed = {
        one.action
        for action in changes
        for one in OTHER.asks(action)
        if allows([of(role)], one.action, one.resource, one.context)
    }
    assert changed <= NOBODYS.get(role, set())


# Of no use without the rest of the call: network interfaces and images carry no tag, a new secret is the database's, a
# linked role is AWS's own, and an address has to be the space's. Zones of DNS are the account's.
NOBODYS = {
    Role.HOSTS: {"ec2:AssociateAddress"},
    Role.OWNER: {
        "ec2:CreateNetworkInterface",
        "ec2:DisassociateAddress",
        "ec2:RunInstances",
        "iam:CreateServiceLinkedRole",
        "route53:ChangeResourceRecordSets",
        "secretsmanager:CreateSecret",
        "secretsmanager:TagResource",
    },
}


@pytest.mark.parametrize("role", Role)
def test_no_pattern_fits_a_thing_of_another_space(role: Role) -> None:
    """Any change that AWS has, not only those that are needed."""
    instance = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"
    context = {"aws:RequestedRegion": REGION, "aws:ResourceTag/deployer:space": "staging"}
    things = [arn for kind, arn in OTHER.things().items() if kind not in ("Secret", "key", "hostedzone")]
    changes = [(one, arn) for arn in [*things, instance] for one in WRITES if one.startswith(f"{arn.split(':')[2]}:")]
    assert len(changes) > 1000
    changed = {one for one, arn in changes if allows([of(role)], one, arn, context)}
    assert changed <= NOBODYS.get(role, set()) - NOBODYS[Role.OWNER]


def test_who_only_looks_changes_nothing_at_all() -> None:
    assert [action for action in sorted(WRITES) if allows([wide(of(Role.PREVIEW))], action, "*")] == []


def test_what_is_confined_by_nothing_only_reads() -> None:
    """Patterns of the owner's listings fit no action that changes something."""
    everywhere = [one for one in of(Role.OWNER)["Statement"] if one["Resource"] == ["*"] and "Condition" not in one]
    assert everywhere
    assert [action for action in sorted(WRITES) if allows([{"Statement": everywhere}], action, "*")] == []


def wide(role: Policy) -> Policy:
    """The same for every resource, under no condition."""
    return {"Statement": [{"Effect": "Allow", "Action": one["Action"], "Resource": "*"} for one in role["Statement"]]}


@pytest.mark.parametrize("role", [Role.DEPLOYER, Role.CI])
def test_who_works_on_apps_makes_no_infrastructure(role: Role) -> None:
    changes = {action for action in WRITES if allows([wide(of(role))], action, "*")}
    objects = {"s3:DeleteObject", "s3:PutObject"}
    assert changes == {"ec2-instance-connect:OpenTunnel", *objects}


def test_what_is_not_the_spaces_cannot_be_made_its_own() -> None:
    """To tag a thing is to own it: only what the tag is put on as it is made, or what has it, may be tagged."""
    thing, tag = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", {"aws:RequestTag/deployer:space": "production"}
    region = {"aws:RequestedRegion": REGION}

    def tags(context: dict[str, str]) -> bool:
        return allows([of(Role.OWNER)], "ec2:CreateTags", thing, context)

    assert not tags({**region, **tag})
    assert not tags({**region, **tag, "aws:ResourceTag/deployer:space": "staging"})
    assert tags({**region, **tag, "aws:ResourceTag/deployer:space": "production"})
    assert tags({**region, **tag, "ec2:CreateAction": "RunInstances"})
    assert not tags({**tag, "ec2:CreateAction": "RunInstances", "aws:RequestedRegion": "us-west-2"})


def test_the_role_of_hosts_goes_to_hosts_alone() -> None:
    role = MINE.things()["role"]
    for service, allowed in (("ec2.amazonaws.com", True), ("lambda.amazonaws.com", False)):
        assert allows([of(Role.OWNER)], "iam:PassRole", role, {"iam:PassedToService": service}) == allowed
    admin = f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert not allows([of(Role.OWNER)], "iam:PassRole", admin, {"iam:PassedToService": "ec2.amazonaws.com"})


def test_an_owner_empowers_a_role_only_below_its_boundary() -> None:
    """Else who writes its policy and starts a host with it could do anything; and the boundary is not the owner's."""
    owner, arn = of(Role.OWNER), MINE.things()["role"]
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert allows([owner], action, arn, {"iam:PermissionsBoundary": boundary(ACCOUNT, "production")})
        for other in (boundary(ACCOUNT, "staging"), boundary(ACCOUNT, None), f"arn:aws:iam::{ACCOUNT}:policy/mine"):
            assert not allows([owner], action, arn, {"iam:PermissionsBoundary": other})
        assert not allows([owner], action, arn)
    for action in ("iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary"):
        assert not allows([owner], action, arn, {"iam:PermissionsBoundary": boundary(ACCOUNT, "production")})
    policies = [boundary(ACCOUNT, "production"), f"arn:aws:iam::{ACCOUNT}:policy/deployer/production-owner"]
    changes = [one for one in WRITES if one.startswith("iam:")]
    assert [one for one in changes for held in policies if allows([owner], one, held)] == []


def test_a_boundary_lets_hosts_do_what_they_must_and_no_more() -> None:
    """Whatever an owner writes into the role's policy: only what the boundary allows as well is allowed."""
    hosts = of(Role.HOSTS)
    assert hosts["Statement"] == may(SCOPES["a space"].store, "production", takes_address=True)["Statement"]
    changes = {one for one in WRITES if allows([wide(hosts)], one, "*")}
    assert changes == {
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "autoscaling:SetInstanceHealth",
        "ec2:AssociateAddress",
        "s3:AbortMultipartUpload",
        "s3:PutObject",
    }


def test_ssh_goes_to_port_22_of_the_spaces_hosts() -> None:
    endpoint = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance-connect-endpoint/eice-1"
    for space, port, allowed in (("production", "22", True), ("production", "3389", False), ("staging", "22", False)):
        context = {"aws:ResourceTag/deployer:space": space, "ec2-instance-connect:remotePort": port}
        assert allows([of(Role.DEPLOYER)], "ec2-instance-connect:OpenTunnel", endpoint, context) == allowed


@pytest.mark.parametrize("role", Role)
def test_who_makes_addons_reads_the_password_of_the_spaces_master(role: Role) -> None:
    """RDS tags its secrets with the database that they are of: no other space's, nor anybody else's, is read."""
    databases = {space: Space(space).things()["db"] for space in ("production", "staging")}
    databases["another's"] = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:payroll"
    read = {
        whose
        for whose, database in databases.items()
        if allows(
            [of(role)],
            "secretsmanager:GetSecretValue",
            MINE.things()["Secret"],
            {"aws:RequestedRegion": REGION, "aws:ResourceTag/aws:rds:primaryDBInstanceArn": database},
        )
    }
    assert read == ({"production"} if role is Role.DEPLOYER else set())
