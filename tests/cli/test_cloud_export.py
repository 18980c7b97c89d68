"""`spaces:export`: the folder that it writes is a project of Pulumi's own, in which nothing would change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.spaces.aws import bootstrap
from deployer.spaces.aws.account import Account
from tests.cli.test_cloud import Laptop, at_work
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.moto_here import REGION
from tests.infra.pulumi_here import Project

pytestmark = pytest.mark.edge
SPACE = f"""
[space.production]
region = "{REGION}"
account = "123456789012"
hosts = {{ size = "t4g.small", count = 2 }}
load-balancer = true
domain = "example.com"
database = {{ size = "db.t4g.micro" }}
budget = {{ monthly = 60, email = "me@example.com" }}
"""


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        yield one


def changing(here: Cloud) -> list[str]:
    """What was done in AWS since somebody looked last."""
    found = [f"{call.what} {call.kind}" for call in here.provider.calls if call.done and call.what != "read"]
    here.provider.calls.clear()
    return found


def test_pulumi_goes_on_without_deployer_where_it_stopped(laptop: Laptop, tmp_path: Path) -> None:
    laptop.says(SPACE)
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    assert laptop.run("spaces:export", str(tmp_path / "left"), "--space", "production") == 0, laptop.err
    assert "/deployer/production/passphrase" in laptop.err
    folder = tmp_path / "left"
    state = bootstrap.find(Account(REGION, laptop.here.endpoint), "production")
    assert state
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in written if state.passphrase in path.read_text()]
    assert not [path for path in written if path.suffix == ".py" and "from deployer" in path.read_text()]

    (tmp_path / "leavers").mkdir()
    project = Project(laptop.here, folder, tmp_path / "leavers", state.passphrase)
    changing(laptop.here)
    for words in (("preview", "--refresh"), ("up", "--yes", "--skip-preview")):
        found = project.pulumi(*words, "--stack", "production", "--expect-no-changes")
        assert found.returncode == 0, found.stdout + found.stderr
    assert not changing(laptop.here)

    assert project.pulumi("config", "set", "postgres", "18", "--stack", "production").returncode == 0
    found = project.pulumi("preview", "--diff", "--stack", "production")
    assert '"17" => "18"' in found.stdout, found.stdout + found.stderr

    assert laptop.run("spaces:export", str(folder), "--space", "production") == 1
    assert "is not empty" in laptop.err
