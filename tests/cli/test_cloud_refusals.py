"""AWS refuses in the middle of `up`: what is said, and that the next command goes on; in a cloud on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cloud_interrupts import DATABASE, NAMED, deployer, done, ends_well
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.gate import EXPIRED, Asked, Says
from tests.infra.standin.provider import Call

pytestmark = [pytest.mark.edge, pytest.mark.faults, pytest.mark.timeout(900)]
SPACE = '[space.production]\nregion = "eu-central-1"\ndatabase = {}\nload-balancer = true\n'
UP, DOWN = ("up", "--yes", *NAMED), ("down", "--delete-data", "--confirm", "production", *NAMED)
SLOW = {"s3": (503, "SlowDown"), "ssm": (400, "ThrottlingException")}
ME = "User: arn:aws:iam::123456789012:user/me is not authorized to perform:"
# What AWS says to a call, and the first line of what we do.
REFUSALS: dict[Asked, tuple[Says, str]] = {
    Asked("ec2", "CreateVpc"): (
        Says(400, "VpcLimitExceeded", "The maximum number of VPCs has been reached."),
        "This account has reached the quota `VPCs per Region`.",
    ),
    Asked("iam", "CreateRole"): (
        Says(
            403,
            "AccessDenied",
            f"{ME} iam:CreateRole because no identity-based policy allows the iam:CreateRole action",
        ),
        "These credentials may not do iam:CreateRole.",
    ),
    Asked("ec2", "CreateLaunchTemplate"): (
        Says(
            403,
            "UnauthorizedOperation",
            f"{ME} ec2:CreateLaunchTemplate with an explicit deny in a service control policy",
        ),
        "A service control policy of the organization forbids ec2:CreateLaunchTemplate.",
    ),
    Asked("rds", "CreateDBSubnetGroup"): (
        Says(400, "DBSubnetGroupAlreadyExists", "The DB subnet group 'x' already exists."),
        "AWS has something of that name already.",
    ),
    Asked("elasticloadbalancing", "CreateTargetGroup"): (
        Says(400, "Throttling", "Rate exceeded"),
        "AWS lets this account make no more calls of elasticloadbalancing:CreateTargetGroup for the moment.",
    ),
    Asked("rds", "CreateDBInstance"): (
        Says(400, "InsufficientDBInstanceCapacity", "db.t4g.micro is not available in eu-central-1a"),
        "AWS has not got what was asked for, in these zones at this time.",
    ),
    Asked("autoscaling", "CreateAutoScalingGroup"): (
        Says(400, "ValidationError", "You must use a valid name."),
        "AWS refused autoscaling:CreateAutoScalingGroup: ValidationError.",
    ),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "home-of-deployer"))
    (tmp_path / "deployer.toml").write_text(SPACE)
    with cloud() as made:
        yield made
        assert not made.asked


def fails(here: Cloud, folder: Path, *words: str) -> str:
    """The failure that a command ends with, without its prefix."""
    with deployer(here, folder, *words) as other:
        _, said = other.communicate(timeout=300)
    assert other.returncode == 1, said
    told = [line.removeprefix(" !").strip() for line in said.splitlines() if line.startswith(" !")]
    return "\n".join(line for line in told if "could not be" not in line) + "\n"


def test_after_each_refusal_up_goes_on_and_down_leaves_nothing(here: Cloud, tmp_path: Path) -> None:
    """AWS refuses everything of these at first; what was met is mended, and the next `up` comes to the next ones."""
    before, left = here.there(), dict(REFUSALS)
    here.gate.answer = lambda asked: left[asked][0] if asked in left else None
    while left:
        said = fails(here, tmp_path, *UP)
        met = {asked for _, asked in here.gate.met} & left.keys()
        assert met and all(left.pop(asked)[1] in said for asked in met), said
    here.gate.open()
    ends_well(lambda: deployer(here, tmp_path, *UP))
    there = here.there()
    assert [len(there[kind]) for kind in ("VPC", "role", "database", "load balancer")] == [1] * 4
    here.gate.refuse("ec2", "DeleteVpc", Says(403, "UnauthorizedOperation", f"{ME} ec2:DeleteVpc on resource: x"))
    assert "These credentials may not do ec2:DeleteVpc." in fails(here, tmp_path, *DOWN)
    here.gate.open()
    ends_well(lambda: deployer(here, tmp_path, *DOWN))
    assert here.there() == before


def test_credentials_that_expire_in_the_middle(here: Cloud, tmp_path: Path) -> None:
    """AWS has made the database, and then takes none of our calls any more: what was made cannot even be noted."""
    before = here.there()

    def expire(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", DATABASE, True):
            here.gate.answer = lambda asked: EXPIRED

    here.provider.fault = expire
    said = fails(here, tmp_path, *UP)
    assert said.startswith("These credentials for AWS have expired.\n"), said
    assert "type the same command again: it goes on where it stopped." in said
    assert here.gate.met and "Traceback" not in said
    here.provider.fault = lambda call: None
    assert fails(here, tmp_path, *UP).startswith("These credentials for AWS have expired.\n")
    here.gate.open()
    done(here, "create")
    ends_well(lambda: deployer(here, tmp_path, *UP))
    assert DATABASE not in done(here, "create")
    assert [len(here.there()[kind]) for kind in ("VPC", "role", "database", "load balancer")] == [1] * 4
    ends_well(lambda: deployer(here, tmp_path, *DOWN))
    assert here.there() == before


def test_a_throttled_api_is_asked_again(here: Cloud, tmp_path: Path) -> None:
    """Everything is refused once at first, by the account's, the engine's and the provider's SDK alike."""
    before, times = here.there(), dict[Asked, int]()

    def answer(asked: Asked) -> Says | None:
        times[asked] = times.get(asked, 0) + 1
        status, code = SLOW.get(asked.service, (400, "Throttling"))
        return Says(status, code, "Please reduce your request rate.") if times[asked] < 2 else None

    here.gate.answer = answer
    said = ends_well(lambda: deployer(here, tmp_path, *UP))
    assert here.gate.met and "could not" not in said
    here.gate.open()
    ends_well(lambda: deployer(here, tmp_path, *DOWN))
    assert here.there() == before
