"""A sleeping laptop, played with real processes over a store in a folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from deployer.errors.lease import LeaseHeld
from deployer.store.folder import FolderStore
from deployer.store.lease import hold

LIVES = 1.0  # seconds: a lease's time to live in these tests

HOLDER = """
import sys
from pathlib import Path
from deployer.errors.lease import LeaseLost
from deployer.store.folder import FolderStore
from deployer.store.lease import hold

root = Path(sys.argv[1])
with hold(FolderStore(root), "app-shop", command="deploy", wait=None, second_store=lambda: FolderStore(root),
          time_to_live=float(sys.argv[2]), renew_every=float(sys.argv[2]) / 6) as held:
    print("token", held.token, flush=True)
    for line in sys.stdin:
        try:
            held.check()
            print("mine", flush=True)
        except LeaseLost as lost:
            print("lost", lost.holder, flush=True)
print("freed", flush=True)
"""


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease and answers every line with what `check` found."""
    words = [sys.executable, "-c", HOLDER, str(root), str(LIVES)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process: subprocess.Popen[str]) -> str:
    stdin, stdout = pipes(process)
    stdin.write("?\n")
    stdin.flush()
    return stdout.readline().strip()


def pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout


def take(root: Path, wait: float | None = None) -> int:
    """Take it here and free it; the token."""
    store = FolderStore(root)
    with hold(store, "app-shop", command="other", wait=wait, second_store=lambda: store, time_to_live=LIVES) as held:
        return held.token


@pytest.mark.edge
def test_a_living_holder_keeps_it_past_its_time_to_live(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert pipes(process)[1].readline() == "token 1\n"
        with pytest.raises(LeaseHeld):
            take(tmp_path, wait=LIVES * 2)
        assert ask(process) == "mine"
        pipes(process)[0].close()
        assert pipes(process)[1].readline() == "freed\n"
    assert take(tmp_path) == 2


@pytest.mark.edge
def test_a_sleeper_whose_lease_another_took_is_told_so_when_it_wakes(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert pipes(process)[1].readline() == "token 1\n"
        process.send_signal(signal.SIGSTOP)
        assert take(tmp_path, wait=LIVES * 3) == 2
        process.send_signal(signal.SIGCONT)
        assert ask(process) == "lost nobody"


@pytest.mark.edge
def test_a_killed_holder_blocks_nobody_for_longer_than_its_lease_lives(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert pipes(process)[1].readline() == "token 1\n"
        process.kill()
        with pytest.raises(LeaseHeld):
            take(tmp_path)
        assert take(tmp_path, wait=LIVES * 3) == 2
