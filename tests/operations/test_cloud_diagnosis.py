"""What `doctor` makes of what the group and the store of a space in AWS say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from deployer.cli.doctor import lines
from deployer.errors.aws import AwsDenied
from deployer.model.joining import AgentRef, JoinFailure
from deployer.model.space import Host
from deployer.operations.cloud_diagnosis import of_group
from deployer.operations.cloud_group import Activity, Instance, Seen
from deployer.operations.diagnosis import Finding
from deployer.remote.bundle import bundle
from deployer.version import VERSION

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
REGION = "eu-central-1"
NO_ROOM = (
    "We currently do not have sufficient t4g.small capacity in the Availability Zone you requested (eu-central-1a).\n"
    "Launching EC2 instance failed."
)
NO_QUOTA = "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket."
ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token t was abandoned: Heartbeat"
)


def launch(instance: str, status: str = "Successful", message: str = "", minutes: float = 120) -> Activity:
    what = f"Launching a new EC2 instance: {instance}" if instance else "Launching a new EC2 instance"
    return Activity(what, status, message, NOW - 60 * minutes)


def host(instance: str, seat: int) -> Host:
    return Host(instance, seat, "", f"10.0.0.{seat}", "ssh-ed25519 AAAA")


def failed(instance: str, at: str = "2027-01-15T07:55:00Z") -> JoinFailure:
    return JoinFailure(instance, at, "prepare", "packages-missing: no mirror")


WELL = Seen(
    2,
    (Instance("i-0a", "InService", True), Instance("i-0b", "InService", True)),
    (launch("i-0a"), launch("i-0b")),
    (host("i-0a", 1), host("i-0b", 2)),
    {1: "i-0a", 2: "i-0b"},
    (),
    AgentRef(bundle().name, "00", VERSION),
    NOW,
)
SECOND = (Instance("i-0a", "InService", True),)
CASES = {
    "well": WELL,
    "a failure of one that has joined since": replace(WELL, failures=(failed("i-0b"), failed("i-0c"))),
    "starts": replace(
        WELL,
        instances=(*SECOND, Instance("i-0c", "Pending:Wait", True)),
        activities=(launch("i-0a"), launch("i-0c", "InProgress", minutes=3)),
    ),
    "waits for long": replace(
        WELL,
        instances=(*SECOND, Instance("i-0c", "Pending:Wait", True)),
        activities=(launch("i-0a"), launch("i-0c", "InProgress", minutes=42)),
    ),
    "fails to join": replace(
        WELL,
        instances=(*SECOND, Instance("i-0c", "Pending:Wait", True)),
        activities=(launch("i-0a"), launch("i-0c", "InProgress", minutes=9)),
        failures=(failed("i-0c"),),
    ),
    "has no seat": replace(WELL, seats={1: "i-0a", 2: "i-0z"}),
    "ends, and is ill": replace(
        WELL, instances=(Instance("i-0a", "Terminating:Wait", True), Instance("i-0b", "InService", False))
    ),
    "no capacity": replace(WELL, instances=SECOND, activities=(launch("", "Failed", NO_ROOM, 4), *WELL.activities)),
    "no quota": replace(WELL, instances=SECOND, activities=(launch("", "Failed", NO_QUOTA, 4), *WELL.activities)),
    "given up again and again": replace(
        WELL,
        instances=SECOND,
        activities=(
            *(launch(f"i-0{one}", "Cancelled", ABANDONED, 10 + ord(one) - ord("d")) for one in "def"),
            *WELL.activities,
        ),
        failures=(failed("i-0d"), failed("i-0e", "2027-01-14T07:55:00Z")),
    ),
    "nobody": replace(WELL, instances=(), activities=(), agent=None),
    "an older agent": replace(WELL, agent=AgentRef("0a", "00", "0.0.1")),
    "a newer agent": replace(WELL, agent=AgentRef("0a", "00", "99.0")),
    "not allowed to ask": replace(
        WELL,
        activities=(),
        untold=AwsDenied(
            "autoscaling:DescribeScalingActivities", "autoscaling:DescribeScalingActivities", "not authorized"
        ),
    ),
}


def found(case: str) -> list[Finding]:
    return of_group(CASES[case], "production", REGION)


def test_the_words(golden: Callable[[str, str], None]) -> None:
    shown = ("\n".join([f"=== {case}", *lines(found(case))]) for case in CASES)
    golden("cloud/doctor.txt", "\n\n".join(shown) + "\n")


@pytest.mark.parametrize("case", ["well", "a failure of one that has joined since"])
def test_what_is_over_is_no_problem(case: str) -> None:
    assert not [one for one in found(case) if one.problem]


def test_what_aws_refused_before_a_host_came_is_over() -> None:
    before = replace(WELL, activities=(launch("i-0b", minutes=1), launch("", "Failed", NO_ROOM, 4)))
    assert not [one for one in of_group(before, "production", REGION) if one.problem]


def test_another_agent_of_the_same_version_is_said() -> None:
    other = replace(WELL, agent=AgentRef("0a", "00", VERSION))
    [wrong] = [one for one in of_group(other, "production", REGION) if one.problem]
    assert (wrong.check, wrong.advice.startswith("deployer up --space production")) == ("agent", True)
