"""Locks of the host: who may hold them."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from deployer.host.lock import host_lock, locked
from deployer.host.paths import Paths

HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


def test_only_root_may_open_a_lock_also_one_that_an_older_agent_made(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.lock.touch(0o644)
    with host_lock(paths), locked(tmp_path / "another", fcntl.LOCK_SH):
        assert [path.stat().st_mode & 0o777 for path in (paths.lock, tmp_path / "another")] == [0o600, 0o600]


def test_who_must_wait_is_told_so_once_and_gets_the_lock(tmp_path: Path) -> None:
    told: list[str] = []
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin and holder.stdout
        assert holder.stdout.readline() == "held\n"

        def waiting() -> None:
            told.append("waiting")
            assert holder.stdin
            holder.stdin.close()

        with locked(tmp_path / "lock", fcntl.LOCK_EX, waiting):
            assert holder.wait(10) == 0
    with locked(tmp_path / "lock", fcntl.LOCK_EX, waiting):
        assert told == ["waiting"]
