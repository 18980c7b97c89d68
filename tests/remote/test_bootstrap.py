"""The program that installs agents, and which older ones it removes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployer.host.bootstrap import install, prune
from deployer.remote.bundle import bootstrap_source, bundle

NOW = 1_800_000_000.0
DAY = 24 * 3600.0


def agent(agents: Path, name: str, age: float) -> Path:
    folder = agents / name
    folder.mkdir(parents=True)
    (folder / "__main__.py").touch()
    os.utime(folder, (NOW - age, NOW - age))
    return folder


def test_agents_that_nobody_used_for_a_day_go(tmp_path: Path) -> None:
    for name, age in (("new", 2 * DAY), ("recent", DAY / 2), ("old", 2 * DAY), (".half-made.77", 2 * DAY)):
        agent(tmp_path, name, age)
    prune(tmp_path, "new", NOW)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "recent"}


def test_an_agent_that_runs_or_that_timers_run_stays(tmp_path: Path) -> None:
    running, current = agent(tmp_path, "running", 9 * DAY), agent(tmp_path, "theirs", 9 * DAY)
    (tmp_path / "current").symlink_to(current.name)
    descriptor = os.open(running, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    prune(tmp_path, "new", NOW)
    assert {path.name for path in tmp_path.iterdir()} == {"running", "theirs", "current"}
    os.close(descriptor)
    prune(tmp_path, "new", NOW)
    assert not running.exists()


@pytest.mark.edge
def test_installing_what_somebody_else_just_installed_changes_nothing(tmp_path: Path) -> None:
    install(tmp_path, bundle().name, bundle().archive())
    before = (tmp_path / bundle().name / "__main__.py").stat().st_ino
    install(tmp_path, bundle().name, bundle().archive())
    assert (tmp_path / bundle().name / "__main__.py").stat().st_ino == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.edge
def test_an_installation_that_is_cut_off_leaves_no_agent(tmp_path: Path) -> None:
    words = [sys.executable, "-I", "-c", bootstrap_source(), str(tmp_path), "abc"]
    ran = subprocess.run(words, input=bundle().archive()[:5000], capture_output=True, check=False)
    assert ran.returncode != 0
    assert not (tmp_path / "abc").exists()
