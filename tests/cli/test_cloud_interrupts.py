"""Ctrl-C and `kill` in the middle of `up` and `down`: the command as a process of its own, in a cloud on loopback."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deployer.build import folders
from deployer.model.lease import Lease
from deployer.spaces.aws import bootstrap, record
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.pulumi_lock import locks
from deployer.store import keys
from deployer.store import record as records
from deployer.store.base import Get, Stored
from tests.infra.cloud_here import DEPLOYER, ROOT, Cloud, cloud
from tests.infra.moto_here import REGION
from tests.infra.standin.provider import Call

pytestmark = pytest.mark.edge
NAMED = ["--space", "production"]
PATIENCE = 400  # seconds that a command may take on a machine that does much else
DATABASE, BALANCER = "aws:rds/instance:Instance", "aws:lb/loadBalancer:LoadBalancer"
SPACE = """
[space.production]
region = "eu-central-1"
database = {}
load-balancer = true
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "home-of-deployer"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "deployer.toml").write_text(SPACE)
    with cloud() as made:
        yield made
        assert not made.asked


def deployer(here: Cloud, folder: Path, *words: str, home: Path | None = None) -> subprocess.Popen[str]:
    """A command at a terminal of its own: its process group is what Ctrl-C reaches. `home` is deployer's own folder,
    where it is not that of the test."""
    run, env = here.engine(folder), {**os.environ, **({"DEPLOYER_HOME": str(home)} if home else {})}
    given = [str(run.root), str(run.home), here.endpoint, run.env["PULUMI_DEBUG_PROVIDERS"], *words]
    return subprocess.Popen(
        [sys.executable, "-c", DEPLOYER, *given],
        cwd=folder,
        env=env,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(here: Cloud, folder: Path, at: tuple[str, str], number: int, *words: str) -> str:
    """What a command says whose group gets a signal while AWS does this, which takes it a second more."""
    sent: list[float] = []

    def signalled(call: Call) -> None:
        if (call.what, call.kind, call.done) == (*at, False) and not sent:
            sent.append(time.monotonic())
            os.killpg(other.pid, number)
            time.sleep(1)

    with deployer(here, folder, *words) as other:
        here.provider.fault = signalled
        _, said = other.communicate(timeout=PATIENCE)
    here.provider.fault = lambda call: None
    assert sent and other.returncode == 130, said
    assert time.monotonic() - sent[0] >= 1
    return str(said)


def is_free(here: Cloud) -> bool:
    """Neither the space's lease nor Pulumi's lock is held."""
    account = Account(REGION, here.endpoint)
    state = bootstrap.find(account, "production")
    assert state
    found = record.store_of(account, state).batch([Get(keys.lease("space"))]).answers[0]
    assert isinstance(found, Stored)
    return records.load(Lease, found).holder is None and not locks(account, state)


def done(here: Cloud, what: str) -> list[str]:
    """The types of what was made or deleted since somebody looked last."""
    found = [call.kind for call in here.provider.calls if call.done and call.what == what]
    here.provider.calls.clear()
    return found


def ends_well(command: Callable[[], subprocess.Popen[str]]) -> str:
    with command() as other:
        _, said = other.communicate(timeout=PATIENCE)
    assert other.returncode == 0, said
    return str(said)


def test_an_interrupt_finishes_what_runs_and_the_next_command_goes_on(here: Cloud, tmp_path: Path) -> None:
    before = here.there()
    said = interrupted(here, tmp_path, ("create", DATABASE), signal.SIGINT, "up", "--yes", *NAMED)
    assert "Nothing new is begun. The steps that run in AWS are finished first" in said
    assert "`deployer up --space production` goes on from there." in said
    assert "database: RDS for PostgreSQL deployer-production made" in said
    assert "Traceback" not in said and "could not" not in said
    assert is_free(here)
    first = done(here, "create")
    assert DATABASE in first and "aws:autoscaling/group:Group" not in first

    ends_well(lambda: deployer(here, tmp_path, "up", "--yes", *NAMED))
    assert not set(done(here, "create")) & {DATABASE, "aws:ec2/vpc:Vpc"}

    leave = ("down", "--delete-data", "--confirm", "production", *NAMED)
    said = interrupted(here, tmp_path, ("delete", BALANCER), signal.SIGTERM, *leave)
    assert "`deployer down --space production` goes on from there." in said
    assert is_free(here)
    assert "aws:ec2/vpc:Vpc" not in done(here, "delete")
    assert "Nothing of production is left in AWS: $0.00." in ends_well(lambda: deployer(here, tmp_path, *leave))
    assert here.there() == before


def test_an_interrupt_ends_the_build_beside_it_too(
    here: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which waits for another build of the app."""
    cache, app = cache_with_images(tmp_path / "cache"), tmp_path / "shop"
    monkeypatch.setenv("DEPLOYER_CACHE", str(cache))
    app.mkdir()
    (app / "deployer.toml").write_text(SPACE + 'hosts = { size = "t3.small", count = 1 }\n')
    (app / "requirements.txt").write_text("")
    other = folders.make(cache / "builds" / "production" / "shop")
    with folders.open_lock(other / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = interrupted(here, app, ("create", DATABASE), signal.SIGINT, "up", "--yes", *NAMED)
    assert "Building shop meanwhile" in said and "The build of shop said" not in said
    assert "`deployer up --space production` goes on from there." in said
    assert is_free(here) and not builds_in(app) and not (other / "work").exists()


def cache_with_images(folder: Path) -> Path:
    """A cache of a test's own, with this machine's images."""
    folder.mkdir()
    (folder / "platforms").symlink_to(folders.cache_folder() / "platforms")
    return folder


def builds_in(folder: Path) -> list[str]:
    """The processes that build beside a command that was typed there."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (one / "cwd").readlink() == folder and b"operations.ahead" in (one / "cmdline").read_bytes():
                found.append(one.name)
    return found
