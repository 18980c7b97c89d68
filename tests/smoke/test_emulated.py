"""Runs in the emulator: two rungs to their end, and what a run that was killed leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployer.spaces.aws.account import asking
from infra.spec import Database, Hosts, Spec
from smoke import ends, leftovers, record
from smoke.__main__ import parser, run
from smoke.clean import clean
from smoke.emulated import HIDDEN, place
from smoke.ends import End
from smoke.place import Place, type_one
from smoke.record import Record
from smoke.run import Run, play
from smoke.rungs import chosen, described
from tests.infra.cloud_here import ROOT, Cloud, cloud
from tests.infra.moto_here import ACCOUNT
from tests.infra.standin.kind import Refused
from tests.infra.standin.provider import Call
from tests.infra.test_cloud_faults import kill_session

pytestmark = [pytest.mark.edge, pytest.mark.timeout(600)]
REGION = "us-east-1"
PATIENCE = 300  # seconds that a run may take on a machine that does much else
GROUP, DATABASE, NETWORK = "aws:autoscaling/group:Group", "aws:rds/instance:Instance", "aws:ec2/vpc:Vpc"
# `scripts/aws-smoke run`, in an emulator of another process.
ELSEWHERE = """
import sys
from pathlib import Path
from smoke.__main__ import parser, run
from smoke.emulated import at
folder, region, *words = sys.argv[1:]
work = Path(folder) / "killed"
work.mkdir()
options = parser().parse_args(["run", "--rung", "front", "--record", f"{folder}/record"])
sys.exit(run(at(tuple(words), region, None), options, work, None))
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def here(shared: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "names"))
    monkeypatch.setenv("DEPLOYER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield shared
    shared.provider.fault = lambda call: None
    assert not shared.asked


def the_place(here: Cloud, folder: Path) -> Place:
    return place(here, folder, REGION, "example.org")


def climb(here: Cloud, folder: Path, *rungs: str) -> tuple[int, str]:
    """The exit status of a run, and its screen."""
    told: list[str] = []
    work = folder / "work"
    work.mkdir()
    end = End("smoke-0f1e2d", (datetime.now(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0))
    one = Run(the_place(here, folder), end, work, Record(folder / "record", end.space, told.append), told.append)
    status = play(one, chosen(rungs), Spec(REGION, account=ACCOUNT))
    assert leftovers.spaces(one.place.account) == {}
    return status, "".join(told)


def test_two_rungs(here: Cloud, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    """Nothing is left, and what was recorded is what was recorded before."""
    before = here.there(REGION)
    status, said = climb(here, tmp_path, "one-host", "kill")
    assert status == 0, said
    assert here.there(REGION) == before
    summary = json.loads((tmp_path / "record/summary.json").read_text())
    assert (summary["wrong"], summary["hidden"]) == ("", HIDDEN)
    assert ACCOUNT not in "".join(path.read_text() for path in (tmp_path / "record").iterdir())
    steps = [record.stable(step) for step in record.files(tmp_path / "record")]
    golden("smoke/two-rungs.json", json.dumps(steps, indent=1, ensure_ascii=False) + "\n")


def test_a_rung_that_fails_ends_the_run_and_everything_goes(here: Cloud, tmp_path: Path) -> None:
    before = here.there(REGION)

    def refuse(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", NETWORK, False):
            raise Refused("api error VpcLimitExceeded: there are enough of them")

    here.provider.fault = refuse
    status, said = climb(here, tmp_path)
    assert status == 1 and "there are enough of them" in said
    assert here.there(REGION) == before
    summary = json.loads((tmp_path / "record/summary.json").read_text())
    assert summary["wrong"] == "`deployer up --space smoke-0f1e2d --yes` ended with status 1."
    assert [one["step"] for one in summary["steps"]] == ["preview", "up", "down", "proof"]


def cut_off(here: Cloud, folder: Path) -> None:
    """Kill a run, its deployer and its engine when AWS has made the hosts, and nothing has been noted of them."""
    engine = here.engine(folder)
    words = [str(engine.root), str(engine.home), here.endpoint, engine.env["PULUMI_DEBUG_PROVIDERS"]]

    def fault(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", GROUP, True):
            kill_session(other.pid)

    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, str(folder), REGION, *words],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as other:
        here.provider.fault = fault
        said, _ = other.communicate(timeout=PATIENCE)
    here.provider.fault = lambda call: None
    assert other.returncode == -9, said


def test_what_a_killed_run_leaves_is_cleaned(here: Cloud, tmp_path: Path) -> None:
    before, told = here.there(REGION), list[str]()
    cut_off(here, tmp_path)
    where = the_place(here, tmp_path)
    [space] = leftovers.spaces(where.account)
    assert {"VPC", "Auto Scaling group", "state bucket", "group of schedules", "role of the end"} <= {
        one.kind for one in leftovers.of(where.account, space)
    }
    assert clean(where, tmp_path, told.append, lambda question: "no") == 1
    assert f"=== {space}\n" in "".join(told) and "1 VPC: vpc-" in "".join(told)
    assert list(leftovers.spaces(where.account)) == [space]
    assert clean(where, tmp_path, told.append, lambda question: "yes") == 0, "".join(told)
    assert "deployer down --space" in "".join(told) and "thing by thing" not in "".join(told)
    assert here.there(REGION) == before and leftovers.of(where.account, space) == []


def test_where_the_state_is_lost_things_go_one_by_one(here: Cloud, tmp_path: Path) -> None:
    """Of a space with all that a run makes; both ends are there before."""
    before, told, space = here.there(REGION), list[str](), "smoke-0a0b0c"
    where, spec = (
        the_place(here, tmp_path),
        Spec(REGION, Hosts(count=2), Database(), load_balancer=True, account=ACCOUNT),
    )
    here.client("route53", REGION).create_hosted_zone(Name="example.net", CallerReference="of-tests")
    spec = replace(spec, domain="example.net")
    (tmp_path / "deployer.toml").write_text(described(space, spec))
    end = End(space, (datetime.now(UTC) + timedelta(hours=1)).replace(second=0, microsecond=0))
    ends.prepare(where.account, end)
    seen = told_of_end(here, where, space)
    with ends.watching(where.account, end, where.pace):
        typed = type_one(where, tmp_path, ("up", "--space", space, "--yes"), told.append)
    assert typed.status == 0, "".join(told)
    assert seen == [True], "the database has its end before `up` goes on"
    there = leftovers.of(where.account, space)
    assert {"scheduled action", "schedule", "database", "certificate", "load balancer", "Route 53 record"} <= {
        one.kind for one in there
    }
    assert_ends(where, end)
    where.account.client("ssm").delete_parameter(Name=f"/deployer/{space}/state")
    assert clean(where, tmp_path, told.append, None) == 0, "".join(told)
    assert "thing by thing" in "".join(told)
    assert here.there(REGION) == before and leftovers.spaces(where.account) == {}


def told_of_end(here: Cloud, where: Place, space: str) -> list[bool]:
    """Gets whether the database has an end while the engine still waits to be told that it is made."""
    seen: list[bool] = []

    def fault(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", DATABASE, True):
            with asking():
                seen.append(where.wait(lambda: any(one.kind == "schedule" for one in ends.look(where.account, space))))

    here.provider.fault = fault
    return seen


def assert_ends(where: Place, end: End) -> None:
    """AWS ends the hosts at the time, and stops the database then."""
    scaling, scheduler = where.account.client("autoscaling"), where.account.client("scheduler")
    [action] = scaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert (action["MinSize"], action["MaxSize"], action["DesiredCapacity"]) == (0, 0, 0)
    assert action["StartTime"] == end.at
    [listed] = scheduler.list_schedules(GroupName=end.name)["Schedules"]
    schedule = scheduler.get_schedule(GroupName=end.name, Name=listed["Name"])
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (end.daily, "UTC")
    assert json.loads(schedule["Target"]["Input"]) == {"DbInstanceIdentifier": listed["Name"]}
    assert schedule["Target"]["RoleArn"].endswith(f":role/deployer/{end.name}")


def test_without_a_yes_nothing_is_made(here: Cloud, tmp_path: Path) -> None:
    before, asked = here.there(REGION), list[str]()

    def answer(question: str) -> str:
        asked.append(question)
        return "y"

    assert run(the_place(here, tmp_path), parser().parse_args(["run"]), tmp_path, answer) == 1
    assert asked == [f"Do this in the account {ACCOUNT}? (yes/no) "]
    assert here.there(REGION) == before


def test_a_space_of_somebody_s_own_is_not_that_of_a_run(here: Cloud, tmp_path: Path) -> None:
    ec2, where = here.client("ec2", REGION), the_place(here, tmp_path)
    made = [vpc_of(ec2, space) for space in ("smoke-test", "smoke-0a1b2c-and-more", "production", "smoke-0a1b2c")]
    found = leftovers.spaces(where.account)
    assert {space: [one.name for one in some] for space, some in found.items()} == {"smoke-0a1b2c": [made[-1]]}
    assert clean(replace(where, deployer=()), tmp_path, lambda text: None, None) == 0
    assert {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]} & set(made) == set(made[:-1])
    for one in made[:-1]:
        ec2.delete_vpc(VpcId=one)


def vpc_of(ec2: Any, space: str) -> str:
    tags = [{"Key": "deployer:space", "Value": space}]
    made = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
    return str(made["Vpc"]["VpcId"])
