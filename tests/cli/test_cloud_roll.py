"""`hosts:roll`: which hosts of a space in AWS are replaced, and in what words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployer.cli.cloud_roll import lines
from deployer.operations.cloud_roll import Made, Roll, Turn
from deployer.spaces.aws.record import Record
from infra.spec import Hosts, Spec
from tests.box.scaling import Scaling, states
from tests.box.scaling_calls import mends
from tests.cli.conftest import Machine
from tests.cli.test_cloud import Laptop, at_work
from tests.infra.cloud_here import cloud
from tests.infra.moto_here import ACCOUNT, release_images

Golden = Callable[[str, str], None]
SPACE = """
[space.production]
region = "eu-central-1"
hosts = { size = "t4g.small", count = 2 }
load-balancer = true
"""
SPEC = Spec("eu-central-1", Hosts("t4g.medium", 2), load_balancer=True, account=ACCOUNT)
KNOWN = Record("production", SPEC, ACCOUNT, "1.0")
OLD = Made("ami-0aa", "t4g.small", "1", "debian-13-arm64-20261001")
NEW = Made("ami-0bb", "t4g.medium", "3", "debian-13-arm64-20261115")
ALONE = replace(KNOWN, spec=replace(SPEC, hosts=Hosts("t4g.medium", 1), load_balancer=False))
SCREENS = {
    "two": Roll(KNOWN, NEW, (Turn("i-01", OLD), Turn("i-02", replace(NEW, version="2")))),
    "alone": Roll(ALONE, NEW, (Turn("i-01", replace(OLD, called="")),)),
    "nothing": Roll(KNOWN, NEW, ()),
    "gone": Roll(KNOWN, NEW, (), gone=("i-03",)),
    "spare": Roll(KNOWN, NEW, (), spare=1),
}


@pytest.mark.parametrize("case", SCREENS)
def test_what_is_replaced_and_what_users_notice(case: str, golden: Golden) -> None:
    golden(f"cloud/roll-{case}.txt", "\n".join(lines(SCREENS[case])) + "\n")


def test_hosts_elsewhere_are_not_rolled(sandbox: Machine) -> None:
    assert sandbox.run("hosts:roll", "--space", "sandbox") == 2
    assert "sandbox is not in AWS." in sandbox.err


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        yield one


def hosts(laptop: Laptop) -> list[str]:
    [group] = laptop.here.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 2
    return [one["InstanceId"] for one in group["Instances"]]


@pytest.mark.edge
def test_hosts_that_are_old_are_replaced_and_a_spare_one_goes(laptop: Laptop) -> None:
    roll = ("hosts:roll", "--space", "production")
    laptop.says(SPACE)
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    first = hosts(laptop)
    assert laptop.run(*roll, "--yes") == 0 and "Nothing to do" in laptop.err

    release_images()
    assert laptop.run(*roll) == 0 and "Nothing to do" in laptop.err, "the image is pinned"
    assert laptop.run("spaces:upgrade", "production", "--yes") == 0, laptop.err
    second = hosts(laptop)
    assert not {*first} & {*second} and "All hosts of production are as they should be." in laptop.err

    assert laptop.run(*roll, "--host", "i-0123", "--yes") == 2
    assert "production has no host i-0123, and had none." in laptop.err
    assert laptop.run(*roll, "--host", second[0]) == 1 and "--yes" in laptop.err
    assert laptop.run(*roll, "--host", second[0], "--yes") == 0, laptop.err
    assert second[0] not in hosts(laptop) and second[1] in hosts(laptop)

    name = laptop.here.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    laptop.here.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name["AutoScalingGroupName"], DesiredCapacity=3
    )
    assert laptop.run(*roll, "--yes") == 0 and "There is a host too many" in laptop.err
    assert len(hosts(laptop)) == 2


@pytest.mark.edge
def test_what_the_account_may_not_have_is_said_and_the_old_host_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling = Scaling()
    with cloud(further=mends(scaling)) as here, at_work(here, tmp_path, monkeypatch) as laptop:
        laptop.says(SPACE)
        assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
        scaling.follow()
        for one in states():  # as if they had joined
            one.lifecycle_state = "InService"
        first = hosts(laptop)
        no = "You have requested more vCPU capacity than your current vCPU limit of 4 allows (VcpuLimitExceeded)."
        told = {"ActivityId": "1", "AutoScalingGroupName": next(states()).auto_scaling_group_name, "Cause": "At"}
        when = datetime.now(UTC) + timedelta(minutes=1)
        failed = {"Description": "Launching", "StartTime": when, "StatusCode": "Failed", "StatusMessage": no}
        scaling.activities.append({**told, **failed})
        assert laptop.run("hosts:roll", "--space", "production", "--host", first[0], "--yes") == 1
        assert f"No new host of production serves: {first[0]} was not replaced." in laptop.err
        assert f"AWS: {no}" in laptop.err
        assert hosts(laptop) == first and {one.lifecycle_state for one in states()} == {"InService"}
