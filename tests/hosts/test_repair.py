"""What a host mends with nobody present, and what it leaves to a command."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import PROCFILE, Afflicted
from tests.hosts.machine import Machine
from tests.hosts.outside import wait_until

pytestmark = pytest.mark.hosts
AT_WORK = "/srv/deployer/apps/amy/at-work"


@pytest.fixture(scope="module")
def amy(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path_factory.mktemp("repair") / "amy", "amy", sandbox.record.port)
    person.opens(web=2, worker=2)
    yield person
    person.closes()


@pytest.fixture
def machine(sandbox: Sandbox) -> Iterator[Machine]:
    with connect(sandbox.hosts[0], sandbox.identity) as session:
        yield Machine(session)


def test_a_timer_looks_once_a_minute_and_ends(amy: Afflicted, machine: Machine) -> None:
    listed = machine.run("systemctl list-timers --all --no-legend deployer-repair-v1.timer")
    assert "deployer-repair-v1.service" in listed
    machine.run("systemctl start deployer-repair-v1.service")
    state = machine.run("systemctl show --property=ActiveState,Result --value deployer-repair-v1.service").split()
    assert sorted(state) == ["inactive", "success"]


def test_a_start_that_comes_when_a_dyno_has_been_removed_leaves_nothing(amy: Afflicted, machine: Machine) -> None:
    machine.run("systemctl start deployer-dyno-v1@amy.web.7.v99.service")
    listed = machine.run("systemctl list-units --all --plain --no-legend 'deployer-*@amy.web.7.v99.service'")
    assert not {"failed", "active", "activating"} & set(listed.split()), listed
    amy.is_whole()


def test_dynos_router_and_firewall_that_are_down_come_back(amy: Afflicted, machine: Machine) -> None:
    amy.is_whole()
    with machine.unrepaired():
        machine.run("systemctl stop 'deployer-dyno-v1@amy.*'; systemctl stop haproxy; nft delete table inet deployer")
        machine.run("cd /srv/deployer && mkdir -p scratch/amy.web.9.v1/root dynos/amy.web.8.v1 apps/amy/trash/aa")
        at_once = machine.call("repair", patience=3600)["repaired"]
        assert at_once[0] == "the firewall, whose rules were gone"
        assert "half layers of amy, which an agent left" in at_once
        repaired = machine.call("repair", patience=0)["repaired"]
        assert {f"files of amy.web.{number}.v1, which is gone" for number in (8, 9)} <= set(repaired)
        assert any(what.endswith(" of amy, which was down") for what in repaired)
        amy.is_whole(15)
        wait_until(lambda: amy.asks()[0] == 200)
        assert machine.call("repair", patience=0)["repaired"] == []


def test_a_release_command_that_outlived_its_deploy_leaves_nothing(amy: Afflicted, machine: Machine) -> None:
    amy.types(*amy.meets("during:task", "SIGINT", *amy.words("deploy")), status=None)
    repaired: list[str] = []

    def is_swept() -> bool:
        repaired.extend(machine.call("repair")["repaired"])
        return any(re.fullmatch(r"files of amy\.release\.1\.v\d+, which has ended", what) for what in repaired)

    wait_until(is_swept)
    amy.is_whole(10)


def test_why_a_dyno_crashed_is_told_in_ps(amy: Afflicted) -> None:
    (amy.folder / "Procfile").write_text(PROCFILE.replace("sleep 100000", "sleep 4; exit 3"))
    amy.types("deployer", "deploy", "--watch", "0", *amy.here)
    wait_until(lambda: "(exit status 3)" in amy.types("deployer", "ps", *amy.here).stdout, 120, "crashes in a row")
    (amy.folder / "Procfile").write_text(PROCFILE)
    amy.types("deployer", "deploy", *amy.here)
    amy.is_whole(10)


def test_what_a_command_has_stopped_is_left_to_it(amy: Afflicted, sandbox: Sandbox) -> None:
    """Between the old worker and the new one, and while an agent is at work, nothing is started behind its back."""
    amy.types(*amy.meets("before:put-current", "SIGKILL", *amy.words("deploy")), status=-9)
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            one = Machine(session)
            assert one.call("repair", patience=0)["repaired"] == []
            one.run(f"mkdir -p {AT_WORK}; touch {AT_WORK}/1.$(cut -d' ' -f22 /proc/1/stat)")
            one.run("systemctl stop 'deployer-dyno-v1@amy.web.*'")
            assert one.call("repair", patience=0)["repaired"] == []
            one.run(f"rm {AT_WORK}/1.*")
    amy.types("deployer", *amy.words("config:set"))
    amy.is_whole(15)
