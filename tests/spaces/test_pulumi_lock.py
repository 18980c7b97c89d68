"""Whether whoever holds Pulumi's lock may still be at work."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployer.errors.cloud import PulumiElsewhere, PulumiRuns
from deployer.spaces.aws.pulumi_lock import LONGEST, PulumiLock, is_pulumi, refuse_live

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
HERE = socket.gethostname()


def lock(host: str, pid: int, seconds: float = 90.0) -> PulumiLock:
    since = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return PulumiLock("locks/1.json", "ana", host, pid, since)


def test_a_process_that_lives_and_is_a_pulumi_counts(tmp_path: Path) -> None:
    name = tmp_path / "pulumi"
    shutil.copy(str(shutil.which("sleep")), name)
    with subprocess.Popen([name, "60"]) as other:
        try:
            assert is_pulumi(other.pid)
            with pytest.raises(PulumiRuns, match=f"kill -INT {other.pid}"):
                refuse_live("production", [lock(HERE, other.pid, LONGEST * 9)], NOW)
        finally:
            other.kill()
    assert not is_pulumi(other.pid)
    refuse_live("production", [lock(HERE, other.pid)], NOW)


def test_another_program_of_that_number_does_not() -> None:
    assert not is_pulumi(os.getpid())
    refuse_live("production", [lock(HERE, os.getpid())], NOW)


def test_on_another_machine_it_counts_for_as_long_as_it_may_live() -> None:
    with pytest.raises(PulumiElsewhere, match="deployer spaces:unlock production"):
        refuse_live("production", [lock("laptop-2", 8, LONGEST - 1)], NOW)
    refuse_live("production", [lock("laptop-2", 8, LONGEST + 1)], NOW)
    refuse_live("production", [PulumiLock("k", "ana", "laptop-2", 8, "")], NOW)
