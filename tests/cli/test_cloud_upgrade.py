"""`spaces:upgrade`: what is pinned moves when somebody says so, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.cli.cloud_upgrade import as_json, lines
from deployer.operations.cloud_proposal import Proposal
from deployer.operations.cloud_upgrade import Move, Upgrade
from deployer.spaces.aws import bootstrap, record
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.newer import Postgres
from deployer.spaces.aws.record import Record
from infra.spec import Database, Spec
from tests.cli.conftest import Machine
from tests.cli.test_cloud import SPACE, Laptop, at_work
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.moto_here import ACCOUNT, REGION, release_images

Golden = Callable[[str, str], None]
SPEC = Spec("us-east-1", account=ACCOUNT, database=Database())
NOTHING = Proposal("production", ACCOUNT, SPEC, SPEC, ())
IMAGE = Move("hosts", "Debian 13, arm64", "ami-0aa", "ami-0bb", "debian-13-arm64-20261001", "debian-13-arm64-20261115")
MAJOR = Move("database", "PostgreSQL", "16", "17")
SCREENS = {
    "both": Upgrade((IMAGE, MAJOR), NOTHING, Postgres("16.4", (17, 18))),
    "image": Upgrade((replace(IMAGE, seen=""),), NOTHING, None),
    "back": Upgrade((replace(MAJOR, before="17", after="16", back=True),), NOTHING, Postgres("16.4", (17,))),
    "nothing": Upgrade((), NOTHING, Postgres("18.1", ())),
}


@pytest.mark.parametrize("case", SCREENS)
def test_what_moves_and_what_it_means(case: str, golden: Golden) -> None:
    golden(f"cloud/upgrade-{case}.txt", "\n".join(lines(SCREENS[case])) + "\n")


def test_programs_read_the_pins() -> None:
    found = as_json(SCREENS["both"])
    assert [(one["noun"], one["from"], one["to"]) for one in found["pins"]] == [
        ("hosts", "ami-0aa", "ami-0bb"),
        ("database", "16", "17"),
    ]
    assert (found["running"], found["possible"], found["changes"]) == ("16.4", [17, 18], [])


def test_spaces_elsewhere_have_no_pins(sandbox: Machine) -> None:
    assert sandbox.run("spaces:upgrade", "sandbox") == 2
    assert "sandbox is not in AWS." in sandbox.err


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        yield one


def noted(here: Cloud) -> Record:
    account = Account(REGION, here.endpoint)
    state = bootstrap.find(account, "production")
    assert state
    found = record.load(record.store_of(account, state))
    assert found
    return found


def running(here: Cloud) -> str:
    """The PostgreSQL that the database has."""
    [found] = here.client("rds").describe_db_instances()["DBInstances"]
    return str(found["EngineVersion"])


def started_from(here: Cloud) -> str:
    """The image that the next host starts from."""
    ec2 = here.client("ec2")
    [template] = ec2.describe_launch_templates()["LaunchTemplates"]
    wanted = {"LaunchTemplateId": template["LaunchTemplateId"], "Versions": ["$Latest"]}
    [found] = ec2.describe_launch_template_versions(**wanted)["LaunchTemplateVersions"]
    return str(found["LaunchTemplateData"]["ImageId"])


@pytest.mark.edge
def test_pins_move_by_a_command_and_by_nothing_else(laptop: Laptop) -> None:
    here = laptop.here
    laptop.says(SPACE)
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    first = noted(here).images["arm64"]
    assert (started_from(here), running(here)) == (first, "17.6")
    assert laptop.run("spaces:upgrade", "production") == 0, laptop.err
    assert "Nothing is newer than what it is pinned to." in laptop.err
    assert "RDS can bring it to 18, too: --postgres 18." in laptop.err

    release_images()
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    assert "Nothing to do" in laptop.err and started_from(here) == first
    assert laptop.run("spaces:upgrade", "production", "--postgres", "18") == 1
    assert f"{first} (debian-13-arm64" in laptop.err and "17 -> 18" in laptop.err and "--yes" in laptop.err
    assert noted(here).images["arm64"] == first

    assert laptop.run("spaces:upgrade", "production", "--postgres", "18", "--yes") == 0, laptop.err
    second = noted(here).images["arm64"]
    assert second == started_from(here) != first
    assert (noted(here).postgres, running(here)) == (18, "18.1")
    groups = here.client("rds").describe_db_parameter_groups()["DBParameterGroups"]
    assert [one["DBParameterGroupFamily"] for one in groups if "deployer" in one["DBParameterGroupName"]] == [
        "postgres18"
    ]
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    assert "Nothing to do" in laptop.err

    assert laptop.run("spaces:upgrade", "production", "--postgres", "17") == 1
    assert "The PostgreSQL of production is 18.1: RDS cannot bring it to 17." in laptop.err


@pytest.mark.edge
def test_what_rds_has_refused_is_taken_back(laptop: Laptop) -> None:
    here = laptop.here
    laptop.says(SPACE)
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    assert laptop.run("spaces:upgrade", "production", "--postgres", "18", "--json") == 0, laptop.err
    found = json.loads(laptop.out)
    assert [one["noun"] for one in found["pins"]] == ["database"]
    assert ("update", "RDS for PostgreSQL") in [(one["verb"], one["kind"]) for one in found["changes"]]

    account = Account(REGION, here.endpoint)
    state = bootstrap.find(account, "production")
    assert state
    store = record.store_of(account, state)
    record.save(store, replace(noted(here), postgres=18))  # what an upgrade leaves that RDS has refused
    assert (noted(here).postgres, running(here)) == (18, "17.6")
    assert laptop.run("spaces:upgrade", "production", "--postgres", "17", "--yes") == 0, laptop.err
    assert "18 -> 17" in laptop.err and "takes back what was noted" in laptop.err
    assert (noted(here).postgres, running(here)) == (17, "17.6")
