"""Hosts, routers and agents that die in the middle of a change, and laptops that meet: the app serves on."""

from __future__ import annotations

import http.client
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted, living
from tests.hosts.machine import Machine
from tests.hosts.outside import Outside
from tests.hosts.processes import IN_FLIGHT, end, frozen, kill_host

pytestmark = [pytest.mark.hosts, pytest.mark.faults]


@pytest.fixture(scope="module")
def ada(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    with living(tmp_path_factory.mktemp("hosts") / "mill", sandbox.record.port) as person:
        yield person


@pytest.fixture(scope="module")
def bob(ada: Afflicted, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Afflicted:
    """A colleague with the same app on another laptop: a home of his own."""
    folder = tmp_path_factory.mktemp("bob")
    shutil.copytree(home / "home", folder / "home")
    shutil.copytree(ada.folder, folder / "mill")
    return replace(ada, folder=folder / "mill", env={"DEPLOYER_HOME": str(folder / "home")})


@pytest.fixture
def users(ada: Afflicted) -> Iterator[Outside]:
    """Users who ask during the whole test."""
    users = Outside(ada.port, ada.app)
    with users.asking():
        yield users


def test_a_router_that_is_killed_in_a_deploy_comes_back_with_the_new_release(
    ada: Afflicted, sandbox: Sandbox, users: Outside
) -> None:
    with connect(sandbox.hosts[1], sandbox.identity) as session:
        deploy = frozen(ada, "before:switch", *ada.words("deploy"))
        Machine(session).run("systemctl kill -s KILL haproxy")
        deploy.send_signal(signal.SIGCONT)
    end(deploy, 0)
    current = ada.is_whole().current
    assert current
    for host in sandbox.hosts:
        answer = _ask(host.private_address, ada.app)
        assert answer.startswith(f"v{current.release} "), answer
    assert len(users.failures) <= IN_FLIGHT, users.failures


def test_a_rebooted_host_starts_what_is_committed_and_nothing_else(ada: Afflicted, sandbox: Sandbox) -> None:
    before = ada.is_whole().current
    ada.types(*ada.meets("after:stage", "SIGKILL", *ada.words("deploy")), status=-signal.SIGKILL)
    for host in sandbox.hosts:
        sandbox.reboot(host.id)
    assert before
    ada.sees(f"v{before.release} ", patience=20)
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            dynos = [dyno for dyno in Machine(session).dynos(ada.app).values() if dyno["state"] != "down"]
            assert dynos and {dyno["release"] for dyno in dynos} == {before.release}
    ada.types("deployer", *ada.words("ps:scale"))
    assert ada.is_whole().current


def test_a_host_that_dies_in_a_deploy_is_named_and_the_others_serve_on(
    ada: Afflicted, sandbox: Sandbox, users: Outside
) -> None:
    before, dead = ada.is_whole().current, sandbox.hosts[1].id
    assert before
    deploy = frozen(ada, "before:boot", *ada.words("deploy"))
    kill_host(sandbox, dead)
    deploy.send_signal(signal.SIGCONT)
    assert dead in end(deploy, 1)
    said = ada.types("deployer", *ada.words("config:set"), status=1).stderr
    assert f"No answer from {dead}. Nothing was changed." in said
    assert f"v{before.release} still serving" in said
    lost = len(users.failures)
    assert lost <= IN_FLIGHT, users.failures
    sandbox.start()
    ada.types("deployer", *ada.words("deploy"))
    after = ada.is_whole().current
    assert after and after.release > before.release
    assert len(users.failures) == lost, users.failures[lost:]


def test_of_two_laptops_the_second_is_told_of_the_first_and_may_wait(
    ada: Afflicted, bob: Afflicted, users: Outside
) -> None:
    first = frozen(ada, "before:boot", *ada.words("deploy"))
    refused = bob.types("deployer", *bob.words("config:set"), status=1).stderr
    assert f"is changing ⬢ {ada.app}" in refused
    assert f"`deploy` (process {first.pid}) holds its lease" in refused
    second = bob.starts("deployer", *bob.words("deploy"), "--wait", "60")
    time.sleep(1)
    assert second.poll() is None
    first.send_signal(signal.SIGCONT)
    end(first, 0)
    assert "Waiting for" in end(second, 0)
    ada.is_whole()
    users.lost_nothing()


@pytest.mark.parametrize("point", ["before:boot", "before:put-current", "before:switch", "before:retire"])
def test_what_a_laptop_does_that_slept_through_the_end_of_its_lease_is_refused(
    ada: Afflicted, bob: Afflicted, users: Outside, point: str
) -> None:
    sleeper = frozen(replace(ada, env={"LEASE": "2"}), point, *ada.words("deploy"))
    bob.types("deployer", *bob.words("deploy"), "--wait", "20")
    newer = bob.is_whole().current
    sleeper.send_signal(signal.SIGCONT)
    said = end(sleeper, 1)
    assert "Lost the right to change" in said or "lease" in said, said
    assert ada.is_whole().current == newer
    users.lost_nothing()


def test_a_first_deploy_that_is_killed_behind_its_commit_is_finished(
    ada: Afflicted, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Also its formation, of which nobody else knows."""
    eve = Afflicted(tmp_path / "first", "first", sandbox.record.port)
    eve.furnishes()
    eve.types("deployer", "create", eve.app, "--space", "hosts", "--no-remote")
    eve.types(*eve.meets("after:put-current", "SIGKILL", *eve.words("deploy")), status=-signal.SIGKILL)
    eve.types("deployer", *eve.words("config:set"))
    assert eve.is_whole().app.formation["web"].quantity == 1
    eve.sees("v3 ")
    eve.closes()


def _ask(address: str, app: str) -> str:
    connection = http.client.HTTPConnection(address, 80, timeout=30)
    connection.request("GET", "/", headers={"Host": f"{app}.localhost"})
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()
