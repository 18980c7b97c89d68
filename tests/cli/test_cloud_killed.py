"""Two who change a space at once, one of them a Pulumi whose deployer was killed; in a cloud on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.spaces.aws import bootstrap
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.pulumi_lock import PulumiLock, is_pulumi, locks
from tests.cli.test_cloud_interrupts import NAMED, PATIENCE, deployer, done, ends_well, here
from tests.infra.cloud_here import Cloud
from tests.infra.moto_here import REGION
from tests.infra.standin.provider import Call

__all__ = ["here"]
pytestmark = [pytest.mark.edge, pytest.mark.timeout(1200)]
NETWORK = "aws:ec2/vpc:Vpc"
SPACE = '[space.production]\nregion = "eu-central-1"\n'
UP, DOWN = ("up", "--yes", *NAMED), ("down", "--delete-data", "--confirm", "production", *NAMED)


@dataclass
class Slow:
    """AWS takes its time with the network: `begun` when it is asked for it, until `goes_on`."""

    begun: threading.Event
    goes_on: threading.Event


@contextmanager
def slow_network(here: Cloud) -> Iterator[Slow]:
    slow = Slow(threading.Event(), threading.Event())

    def wait(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", NETWORK, False):
            slow.begun.set()
            slow.goes_on.wait(PATIENCE)

    here.provider.fault = wait
    try:
        yield slow
    finally:
        slow.goes_on.set()
        here.provider.fault = lambda call: None


def held(here: Cloud) -> tuple[PulumiLock, ...]:
    account = Account(REGION, here.endpoint)
    state = bootstrap.find(account, "production")
    assert state
    return locks(account, state)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def refused(command: Callable[[], subprocess.Popen[str]]) -> str:
    with command() as other:
        _, said = other.communicate(timeout=PATIENCE)
    assert other.returncode == 1, said
    return str(said)


def test_pulumi_that_outlives_its_deployer_is_left_to_end(here: Cloud, tmp_path: Path) -> None:
    (tmp_path / "deployer.toml").write_text(SPACE)
    before = here.there()
    with slow_network(here) as slow:
        with deployer(here, tmp_path, *UP) as other:
            assert slow.begun.wait(PATIENCE)
            [lock] = held(here)
            os.kill(other.pid, signal.SIGKILL)
        assert lock.is_here
        said = refused(lambda: deployer(here, tmp_path, *UP))
        assert "Pulumi still works on production, for a deployer that was killed" in said
        assert f"`kill -INT {lock.pid}`" in said
        assert held(here) == (lock,) and is_pulumi(lock.pid)
        done(here, "create")
        slow.goes_on.set()
        until(lambda: not is_pulumi(lock.pid))
    assert held(here) == ()
    assert done(here, "create").count(NETWORK) == 1
    ends_well(lambda: deployer(here, tmp_path, *UP))
    assert NETWORK not in done(here, "create")
    ends_well(lambda: deployer(here, tmp_path, *DOWN))
    assert here.there() == before


def laptop(tmp_path: Path, name: str) -> Path:
    """The folder of somebody else, with the same deployer.toml."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "deployer.toml").write_text(SPACE)
    return folder


def test_of_two_who_make_a_space_one_wins_and_the_other_is_told_who(here: Cloud, tmp_path: Path) -> None:
    before = here.there()
    ana, bob = (laptop(tmp_path, name) for name in ("ana", "bob"))

    def types(folder: Path, *words: str) -> subprocess.Popen[str]:
        return deployer(here, folder, *words, home=folder / "home-of-deployer")

    with slow_network(here) as slow, types(ana, *UP) as one, types(bob, *UP) as other:
        until(lambda: one.poll() is not None or other.poll() is not None)
        winner, loser, folder = (other, one, ana) if one.poll() is not None else (one, other, bob)
        _, said = loser.communicate(timeout=PATIENCE)
        assert loser.returncode == 1, said
        assert "is changing production." in said and f"`deployer up` (process {winner.pid}) holds its lease" in said
        assert "`deployer spaces:unlock production`" in said and "Traceback" not in said
        assert slow.begun.wait(PATIENCE)
        assert f"(process {winner.pid})" in refused(lambda: types(folder, *DOWN))
        ends_well(lambda: types(folder, "preview", *NAMED))
        slow.goes_on.set()
        _, said = winner.communicate(timeout=PATIENCE)
        assert winner.returncode == 0, said
    assert all(times == 1 for times in Counter(names(here)).values())
    done(here, "create")
    assert "Nothing to do: production is as it should be." in ends_well(lambda: types(folder, *UP))
    assert not done(here, "create")
    ends_well(lambda: types(folder, *DOWN))
    assert here.there() == before


def names(here: Cloud) -> list[tuple[str, str]]:
    """All that was made since somebody looked last."""
    return [(call.kind, call.name) for call in here.provider.calls if call.done and call.what == "create"]
