"""User data: what is in it, and what a machine does that boots with it, as a program of the system's own Python."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.joining import JoinOrder
from deployer.remote.bundle import Bundle, bundle_of
from deployer.spaces.aws.user_data import LARGEST, render
from tests.host.aws_here import BUCKET, Region, region
from tests.infra.gate import EXPIRED, Gate

ORDER = JoinOrder("production", "deployer-production-store-0a1b2c3", "eu-central-1", has_front=True)
LONGEST = replace(ORDER, space="s" * 30, bucket="b" * 63, region="ap-southeast-3", address="eipalloc-" + "0" * 17)
# An agent that writes down what it was asked, and fails as often as the file beside it says.
AGENT = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1].removeprefix("--root="))
with (folder / "asked").open("a") as asked:
    print(json.dumps([sys.argv[1:], json.loads(sys.stdin.readline())]), file=asked)
left = folder / "failures"
if left.exists() and (times := int(left.read_text())):
    left.write_text(str(times - 1))
    print(json.dumps({"event": "step", "step": "prepare"}))
    print(json.dumps({"error": {"code": "packages-missing", "details": {"step": "prepare", "reason": "no mirror"}}}))
    sys.exit(1)
print(json.dumps({"result": {"seat": 1}}))
"""


def test_it_is_small_enough_for_ec2_whatever_is_said() -> None:
    for order in (ORDER, LONGEST):
        assert len(render(order).encode()) < LARGEST


def test_it_says_where_the_store_is_and_is_the_same_each_time(golden: Callable[[str, str], None]) -> None:
    text = render(ORDER)
    golden("cloud/user_data.txt", text.partition("PACKED = ")[0])
    assert render(ORDER) == text


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def here(gate: Gate) -> Iterator[Region]:
    with region(1, gate) as here:
        yield here


def agent() -> Bundle:
    return bundle_of({"__main__.py": AGENT.encode()})


@pytest.fixture(autouse=True)
def no_agent(here: Region) -> None:
    here.client("s3").delete_object(Bucket=BUCKET, Key="agent/current")


def publish(here: Region, name: str, archive: bytes, sha: str) -> None:
    here.put("agent/current", json.dumps({"name": name, "sha256": sha, "tool": "1", "schema": 1}).encode())
    here.put(f"agent/{name}.tar.gz", archive)


def boot(here: Region, order: JoinOrder, root: Path, patience: float = 30) -> subprocess.Popen[str]:
    """The machine's first boot, with folders of a test."""
    script = root / "user-data"
    root.mkdir(parents=True, exist_ok=True)
    script.write_text(render(order))
    words = ["/usr/bin/python3", "-I", str(script), f"--root={root}", f"--patience={patience}"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def asked(root: Path) -> list[list[object]]:
    return [json.loads(line) for line in (root / "asked").read_text().splitlines()]


@pytest.mark.edge
def test_a_machine_waits_for_the_agent_and_has_it_join(here: Region, tmp_path: Path) -> None:
    with here.instances() as (one,):
        order = here.order(one)
        booting = boot(here, order, tmp_path)
        assert booting.stdout is not None
        assert booting.stdout.readline() == "deployer: agent: Refused: NoSuchKey: The specified key does not exist.\n"
        archive = agent().archive()
        publish(here, agent().name, archive, hashlib.sha256(archive).hexdigest())
        said, _ = booting.communicate(timeout=60)
    assert booting.returncode == 0, said
    assert 'deployer: {"result": {"seat": 1}}' in said
    ((words, request),) = asked(tmp_path)
    assert words == [f"--root={tmp_path}", "join"]
    assert request["bucket"] == order.bucket and request["metadata"] == one.metadata  # type: ignore[index]


@pytest.mark.edge
def test_what_fails_once_is_tried_again(here: Region, tmp_path: Path) -> None:
    archive = agent().archive()
    publish(here, agent().name, archive, hashlib.sha256(archive).hexdigest())
    (tmp_path / "failures").write_text("1")
    with here.instances() as (one,):
        booting = boot(here, here.order(one), tmp_path)
        said, _ = booting.communicate(timeout=60)
    assert booting.returncode == 0, said
    assert len(asked(tmp_path)) == 2
    assert "deployer: prepare: no mirror" in said


@pytest.mark.edge
def test_who_gives_up_says_why_and_makes_room_for_another(here: Region, tmp_path: Path) -> None:
    archive = agent().archive()
    publish(here, agent().name, archive, hashlib.sha256(archive).hexdigest())
    (tmp_path / "failures").write_text("9")
    here.hooks.clear()
    with here.instances() as (one,):
        booting = boot(here, here.order(one), tmp_path, patience=1)
        said, _ = booting.communicate(timeout=60)
    assert booting.returncode == 1
    assert said.endswith("deployer: giving up after 1 seconds: prepare: no mirror\n")
    assert here.hooks == [("join", one.id, "ABANDON")]
    (key,) = here.keys("hosts/")
    failure = json.loads(here.get(key))
    assert key.startswith("hosts/AROA") and key.endswith(f":{one.id}/failed")
    assert (failure["host"], failure["step"], failure["reason"]) == (one.id, "prepare", "no mirror")


@pytest.mark.edge
def test_an_agent_that_is_not_the_one_that_people_named_never_runs(here: Region, tmp_path: Path) -> None:
    publish(here, agent().name, agent().archive(), "0" * 64)
    with here.instances() as (one,):
        booting = boot(here, here.order(one), tmp_path, patience=0)
        said, _ = booting.communicate(timeout=60)
    assert booting.returncode == 1
    assert "is not the one that agent/current names" in said
    assert not (tmp_path / "agent").exists()


@pytest.mark.edge
def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(here: Region, gate: Gate, tmp_path: Path) -> None:
    archive = agent().archive()
    publish(here, agent().name, archive, hashlib.sha256(archive).hexdigest())
    gate.refuse("s3", "GET /deployer-store/agent/current", EXPIRED, times=1)
    with here.instances() as (one,):
        booting = boot(here, here.order(one), tmp_path)
        said, _ = booting.communicate(timeout=60)
    assert booting.returncode == 0, said
    assert "deployer: agent: Refused: ExpiredToken" in said
