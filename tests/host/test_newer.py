"""Hosts of AWS follow a newer agent that people have put into the store, and no older one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.host import newer
from deployer.host.converge import watched
from deployer.host.myself import Myself, who
from deployer.host.paths import Paths
from deployer.model.joining import AgentRef
from deployer.remote.bundle import Bundle, bundle, bundle_of
from deployer.store import keys, record
from deployer.version import VERSION
from tests.host.aws_here import Region, region

REQUEST = {"hosts": ["10.0.0.1"], "epoch": 1, "roll": None}
# An agent that writes down what it was asked, and fails where a file says so.
AGENT = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1].removeprefix("--root="))
with (folder / "asked").open("a") as asked:
    print(json.dumps([sys.argv[1:], json.loads(sys.stdin.readline())]), file=asked)
if (folder / "fails").exists():
    print(json.dumps({"error": {"code": "packages-missing", "details": {}}}))
    sys.exit(1)
"""


@dataclass
class Host:
    """One of the group: its folders, what it said, and the store that it reads."""

    here: Region
    me: Myself
    paths: Paths
    said: list[str] = field(default_factory=list)

    def publishes(self, agent: Bundle, tool: str = VERSION, sha: str = "") -> None:
        """What `deployer up` writes."""
        archive = agent.archive()
        self.here.put(keys.agent(agent.name), archive)
        ref = AgentRef(agent.name, sha or hashlib.sha256(archive).hexdigest(), tool)
        self.here.put(keys.AGENT, record.dump(ref))

    def runs(self, version: str | None) -> None:
        """Have timers run an agent of this version, or one that does not say its own."""
        folder = self.paths.agents / "0a"
        (folder / "deployer").mkdir(parents=True)
        if version is not None:
            (folder / "deployer/version.py").write_text(f'VERSION = "{version}"\n')
        (self.paths.agents / "current").symlink_to("0a")

    def follows(self) -> str | None:
        return newer.follow(self.me, self.paths, REQUEST, self.said.append)

    def asked(self) -> list[list[object]]:
        file = self.paths.root / "asked"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(scope="module")
def here() -> Iterator[Region]:
    with region(1) as here:
        yield here


@pytest.fixture
def host(here: Region, tmp_path: Path) -> Iterator[Host]:
    here.client("s3").delete_object(Bucket="deployer-store", Key=keys.AGENT)
    with here.instances("InService") as (one,):
        yield Host(here, who(here.order(one)), Paths(tmp_path, tmp_path / "system"))


AGENT_OF_TESTS = bundle_of({"__main__.py": AGENT.encode()})


def test_it_is_looked_for_each_time() -> None:
    assert keys.AGENT in watched(2)


def test_an_agent_says_its_version(tmp_path: Path) -> None:
    file = tmp_path / "deployer/version.py"
    file.parent.mkdir()
    file.write_bytes(bundle().files["deployer/version.py"])
    assert newer.version_of(tmp_path) == VERSION
    assert newer.version_of(tmp_path / "deployer") == ""


@pytest.mark.edge
@pytest.mark.parametrize("version", ["0.0.9", VERSION, None])
def test_another_one_that_is_not_older_prepares_the_host(host: Host, version: str | None) -> None:
    host.runs(version)
    host.publishes(AGENT_OF_TESTS)
    assert host.follows() == AGENT_OF_TESTS.name
    ((words, request),) = host.asked()
    assert words == [f"--root={host.paths.root}", f"--system={host.paths.system}", "prepare"]
    assert request == REQUEST and not host.said
    assert (host.paths.agents / AGENT_OF_TESTS.name / "__main__.py").read_bytes() == AGENT.encode()


@pytest.mark.edge
@pytest.mark.parametrize("tool", ["0.0.9", ""])
def test_an_older_one_never_replaces_a_newer_one(host: Host, tool: str) -> None:
    host.runs(VERSION)
    host.publishes(AGENT_OF_TESTS, tool)
    assert host.follows() is None and not host.asked() and not host.said


@pytest.mark.edge
def test_there_is_nothing_to_follow_where_it_runs_already_or_nobody_has_named_one(host: Host) -> None:
    host.runs("0.0.9")
    assert host.follows() is None
    host.publishes(AGENT_OF_TESTS)
    (host.paths.agents / "current").unlink()
    (host.paths.agents / "current").symlink_to(AGENT_OF_TESTS.name)
    assert host.follows() is None and not host.asked()


@pytest.mark.edge
def test_one_that_is_not_what_people_named_never_runs(host: Host) -> None:
    host.runs("0.0.9")
    host.publishes(AGENT_OF_TESTS, sha="0" * 64)
    assert host.follows() is None and not host.asked()
    assert host.said == [
        f"agent: the archive of the agent {AGENT_OF_TESTS.name} is not the one that agent/current names"
    ]
    assert not (host.paths.agents / AGENT_OF_TESTS.name).exists()
    ref = AgentRef("../../etc", "00", VERSION)
    assert newer.wanted(host.paths, ref) is None, "no folder but its own"


@pytest.mark.edge
def test_what_fails_is_said_and_tried_again(host: Host) -> None:
    host.runs("0.0.9")
    host.publishes(AGENT_OF_TESTS)
    (host.paths.root / "fails").touch()
    assert host.follows() is None
    assert "could not prepare this host: status 1: " in host.said[0] and "packages-missing" in host.said[0]
    (host.paths.root / "fails").unlink()
    assert host.follows() == AGENT_OF_TESTS.name and len(host.asked()) == 2
