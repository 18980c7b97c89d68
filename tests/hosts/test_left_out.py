"""A host that does not answer: named before anything is changed, left out, and back again with what it has missed."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.space import Host, Pointer
from deployer.operations import phases
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted
from tests.hosts.machine import Machine
from tests.hosts.mishaps import until_read
from tests.hosts.outside import Outside, wait_until
from tests.hosts.processes import IN_FLIGHT, kill_host, unreachable

pytestmark = pytest.mark.hosts


@pytest.fixture
def ada(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path / "barn", "barn", sandbox.record.port)
    person.opens(web=2, worker=1)
    yield person
    sandbox.start()
    person.closes()


@pytest.fixture
def neighbour(ada: Afflicted, sandbox: Sandbox, tmp_path: Path) -> Iterator[Afflicted]:
    """Another app of the same space, with a dyno on each host."""
    person = Afflicted(tmp_path / "byre", "byre", sandbox.record.port)
    person.opens(web=2, worker=0)
    yield person
    sandbox.start()
    person.closes()


def test_a_host_that_is_down_is_left_out_of_a_deploy_and_catches_up_when_it_answers(
    ada: Afflicted, neighbour: Afflicted, sandbox: Sandbox
) -> None:
    gone = sandbox.hosts[1]
    before = ada.is_whole().current
    assert before
    leave_traces(sandbox, gone)
    users = Outside(ada.port, ada.app)
    with users.asking():
        kill_host(sandbox, gone.id)
        refused = ada.types("deployer", *ada.words("deploy"), status=1).stderr
        assert f"No answer from {gone.id}. Nothing was changed." in refused
        assert f"--leave-out {gone.id}" in refused and "--wait SECONDS" in refused
        assert f"v{before.release} still serving" in refused
        assert ada.newest == before.release, "not even a release was recorded"

        listed = ada.types("deployer", "ps", *ada.here)
        assert "web.1" in listed.stdout and f"{gone.id} does not answer" in listed.stderr, "reading goes on"
        said = ada.types("deployer", *ada.words("deploy"), "--leave-out", gone.id).stderr
        assert f"{gone.id} is left out" in said
        lost = len(users.failures)
        assert lost <= IN_FLIGHT, users.failures
        served = ada.state().current
        assert served and served.release > before.release
        assert hosts_of(ada) == {"web.1": [1], "web.2": [1], "worker.1": [1]}
        assert hosts_of(neighbour) == {"web.1": [1], "web.2": [1]}, "other apps' dynos start elsewhere too"
        said = ada.types("deployer", *ada.words("config:set")).stderr
        assert f"Going on without {gone.id}" in said, "it is not asked about again"

        sandbox.start()
        for _ in range(30):
            assert readiness(gone) != 200, "it has missed two releases"
        said = ada.types("deployer", *ada.words("ps:scale")).stderr
        assert f"{gone.id} answers again: it is up to date and counts" in said
        wait_until(lambda: readiness(gone) == 200, what="the returned host")
        assert ada.is_whole().current and neighbour.is_whole().current
        assert hosts_of(ada)["web.3"] == [2]
        assert not has_traces(sandbox, gone)
        ada.types("deployer", *ada.words("deploy"))
        assert {seat for seats in hosts_of(ada).values() for seat in seats} == {1, 2}
        ada.types("deployer", "rollback", *ada.here)  # of a release whose layers it was not there for
        assert ada.is_whole().current
    assert len(users.failures) == lost, users.failures[lost:]


def test_a_host_that_only_this_laptop_cannot_reach_tells_the_front_that_it_is_behind(
    ada: Afflicted, sandbox: Sandbox
) -> None:
    """The front goes on asking it, and its dynos go on running: from the other hosts it learns that it is left out."""
    cut_off = sandbox.hosts[1]
    users = Outside(ada.port, ada.app)
    with users.asking():
        with unreachable(sandbox, cut_off):
            assert readiness(cut_off) == 200
            ada.types("deployer", *ada.words("deploy"), "--leave-out", cut_off.id)
            assert readiness(cut_off) == 503
            assert ada.state().current
        ada.types("deployer", *ada.words("config:set"))
        wait_until(lambda: readiness(cut_off) == 200, what="the returned host")
        state = ada.is_whole()
        assert state.app.formation["worker"].quantity == 1, "which ran twice for a while, and now once"
    users.lost_nothing()


def test_a_command_waits_for_a_host_as_long_as_it_is_told_to(ada: Afflicted, sandbox: Sandbox) -> None:
    kill_host(sandbox, sandbox.hosts[1].id)
    command = ada.starts("deployer", *ada.words("config:set"), "--wait", "60")
    until_read(command, "to answer")
    sandbox.start()
    command.communicate(timeout=120)
    assert command.returncode == 0
    assert ada.is_whole().current


def leave_traces(sandbox: Sandbox, host: Host) -> None:
    """Of an app that the ledger has never heard of, and whose tokens were higher than any that it counts."""
    with connect(host, sandbox.identity) as session:
        Machine(session).ship("stranger", 20961, {"a": b"a"})
        session.call("retire", {"app": "stranger", "token": 1000, "instances": [], "drain": 0})


def has_traces(sandbox: Sandbox, host: Host) -> bool:
    """Whether anything of that app is there, its highest token apart."""
    with connect(host, sandbox.identity) as session:
        machine = Machine(session)
        found = machine.run("ls /srv/deployer/apps/stranger; rm -r /srv/deployer/apps/stranger").split()
    return bool(set(found) - {"token", "at-work"})


def readiness(host: Host) -> int:
    """What its router says to the front; 0 where it says nothing."""
    connection = http.client.HTTPConnection(host.address, 80, timeout=5)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def hosts_of(person: Afflicted) -> dict[str, list[int]]:
    """The seats on which each dyno of the app runs, on hosts that count."""
    found: dict[str, list[int]] = {}
    with person.space() as space:
        for placed in phases.survey(space, person.app).present:
            found.setdefault(placed.dyno.name, []).append(placed.session.host.seat)
    return found
