"""A first host that is lost for good: another one takes its place, and it comes back as a host like others."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.space import Host
from deployer.operations import spaces
from deployer.operations.spaces import Wanted
from deployer.remote.agent import connect
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted
from tests.hosts.conftest import ignore
from tests.hosts.machine import Machine
from tests.hosts.outside import Outside, wait_until
from tests.hosts.processes import IN_FLIGHT, kill_host
from tests.hosts.test_left_out import hosts_of, readiness

pytestmark = pytest.mark.hosts
SPACE = "lost"
SELECT = ("pg:psql", "-c", "select 6 * 7")


@pytest.fixture(scope="module")
def sandbox(home: Path) -> Iterator[Sandbox]:
    """Two hosts of these tests' own: whoever is the first changes."""
    spaces.create(Wanted(SPACE, "debian-13", 2), ignore)
    yield spaces.sandbox_of(SPACE)
    spaces.destroy(SPACE, ignore)


@pytest.fixture
def ada(sandbox: Sandbox, tmp_path: Path) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path / "mill", "mill", sandbox.record.port, space_name=SPACE)
    person.opens(web=2, worker=1)
    yield person
    person.closes()


def test_a_lost_first_host_is_replaced_and_comes_back_as_a_host_like_others(
    ada: Afflicted, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    lost, other = first_and_other(sandbox)
    bob, eve = laptop(ada, home, tmp_path / "bob"), laptop(ada, home, tmp_path / "eve")
    ada.types("deployer", "addons:create", "heroku-postgresql:essential-0", *ada.here)
    users = Outside(ada.port, ada.app)
    with users.asking():
        refused = ada.types("deployer", *promotion(other), status=1).stderr
        assert f"{lost.id} is the first host of {SPACE}, and answers" in refused
        kill_host(sandbox, lost.id)
        away = ada.types("deployer", *ada.words("config:set"), status=1).stderr
        assert f"deployer hosts:promote {other.id} --space {SPACE}" in away
        asked = ada.types("deployer", *promotion(other)[:-2], status=2).stderr
        assert f"Databases on {lost.id}, gone unless it returns:\n" in asked and "was it left out?" not in asked, asked

        said = ada.types("deployer", *promotion(other)).stderr
        assert f"{other.id} is the first host of {SPACE}." in said
        ran = len(users.failures)
        assert ran <= IN_FLIGHT, users.failures
        assert hosts_of(ada) == {name: [other.seat] for name in ("web.1", "web.2", "worker.1")}
        ada.types("deployer", *ada.words("config:set"))
        ada.types("deployer", *ada.words("deploy"))
        assert f"Its host is lost: {lost.id}" in ada.types("deployer", "pg:info", *ada.here).stdout
        assert "its host is lost" in ada.types("deployer", *SELECT, *ada.here, status=1).stderr
        followed = bob.types("deployer", *bob.words("config:set")).stderr
        assert f"{other.id} is the first host now, no longer {lost.id}" in followed

        sandbox.start()
        for _ in range(20):
            assert readiness(lost) != 200, "it has missed releases"
        before = ada.newest
        moved = eve.types("deployer", *eve.words("config:set"), status=1).stderr
        assert f"{other.id} is the first host of {SPACE} now, no longer {lost.id}" in moved
        assert ada.newest == before
        said = eve.types("deployer", *eve.words("config:set")).stderr
        assert f"{lost.id} answers again: it is up to date and counts" in said
        wait_until(lambda: readiness(lost) == 200, what="the returned host")
        ada.is_whole()
        assert "42" in ada.types("deployer", *SELECT, *ada.here).stdout, "its databases are there again"
        removed = ada.types("deployer", "hosts:remove", lost.id, "--space", SPACE, status=1).stderr
        assert f"{lost.id} has databases, which would go with it" in removed
        assert stores(sandbox, lost) == ["store-copy", "store-old"]
        ada.types("deployer", *ada.words("deploy"))
        assert {seat for seats in hosts_of(ada).values() for seat in seats} == {1, 2}
    assert len(users.failures) == ran, users.failures[ran:]


def test_a_promotion_that_is_cut_off_before_the_copy_is_the_ledger_is_finished_or_taken_back(
    ada: Afflicted, sandbox: Sandbox
) -> None:
    lost, other = first_and_other(sandbox)
    kill_host(sandbox, lost.id)
    for point, name, status in (
        ("after:raise_epoch", "SIGKILL", -signal.SIGKILL),
        ("before:copy_promote", "SIGINT", 130),
    ):
        ada.types(*ada.meets(point, name, *promotion(other)), status=status)
        assert "hosts:promote" in ada.types("deployer", *ada.words("config:set"), status=1).stderr
    sandbox.start()
    said = ada.types("deployer", *ada.words("config:set"), status=1).stderr
    assert f"deployer hosts:promote {lost.id} --space {SPACE}" in said
    ada.types("deployer", *promotion(lost))
    ada.types("deployer", *ada.words("config:set"))
    ada.is_whole()
    kill_host(sandbox, lost.id)
    ada.types("deployer", *promotion(other))
    sandbox.start()
    ada.types("deployer", *ada.words("deploy"))
    ada.is_whole()


def test_a_promotion_that_is_killed_behind_it_is_finished_by_the_next_command(ada: Afflicted, sandbox: Sandbox) -> None:
    lost, other = first_and_other(sandbox)
    kill_host(sandbox, lost.id)
    ada.types(*ada.meets("after:copy_promote", "SIGKILL", *promotion(other)), status=-signal.SIGKILL)
    said = ada.types("deployer", *ada.words("deploy")).stderr
    assert f"{other.id} is the first host now, no longer {lost.id}" in said
    assert hosts_of(ada) == {name: [other.seat] for name in ("web.1", "web.2", "worker.1")}
    sandbox.start()
    ada.types("deployer", *ada.words("deploy"))
    ada.is_whole()


def first_and_other(sandbox: Sandbox) -> tuple[Host, Host]:
    """The first host as it is now, and the other one."""
    first = pointers.load(SPACE).first.id
    hosts = sorted(sandbox.hosts, key=lambda host: host.id != first)
    return hosts[0], hosts[1]


def promotion(host: Host) -> list[str]:
    """The words that make a host the first one."""
    return ["hosts:promote", host.id, "--space", SPACE, "--confirm", SPACE]


def laptop(person: Afflicted, home: Path, folder: Path) -> Afflicted:
    """Somebody else's laptop, which knows what this one knows now."""
    shutil.copytree(home / "home", folder)
    return replace(person, env={"DEPLOYER_HOME": str(folder)})


def stores(sandbox: Sandbox, host: Host) -> list[str]:
    """What a host has of the ledger."""
    with connect(host, sandbox.identity) as session:
        return Machine(session).run("cd /srv/deployer && ls -d store*").split()
