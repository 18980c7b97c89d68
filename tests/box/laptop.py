"""A laptop whose commands are processes of their own: two of them can type at the same time, and one can die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.box.person import QUIET

ROOT = Path(__file__).parent.parent.parent
DEPLOYER = "import sys; from deployer.cli.main import main; sys.exit(main())"
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
LONGEST = 240.0  # seconds of a command


@dataclass(frozen=True)
class Laptop:
    """Somebody's: its `home` is where deployer keeps what it knows. `apart`: its numbers of processes are its own, as
    on another machine."""

    user: str
    folder: Path
    home: Path
    apart: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    def begins(self, *words: str) -> Command:
        """Type `deployer WORDS`, and wait for nothing."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        told = {"DEPLOYER_HOME": str(self.home), "LOGNAME": self.user, "PYTHONPATH": str(ROOT)}
        env = {**own, **QUIET, **told, **self.more, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        before = ELSEWHERE if self.apart else ()
        running = subprocess.Popen(
            [*before, sys.executable, "-c", DEPLOYER, *words],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Command(words, running)

    def types(self, *words: str, status: int | None = 0) -> str:
        """All that the command said. AssertionError where it ends otherwise; None takes every end."""
        return self.begins(*words).ends(status)


@dataclass
class Command:
    """A command that runs."""

    words: tuple[str, ...]
    process: subprocess.Popen[str]
    began: float = field(default_factory=time.monotonic)
    was_killed: bool = False

    def ends(self, status: int | None = 0) -> str:
        """All that it said, at its end."""
        said, _ = self.process.communicate(timeout=LONGEST)
        print(f"{time.monotonic() - self.began:6.1f} s, {self.process.returncode}: {' '.join(self.words)}\n{said}")
        assert status is None or self.process.returncode == status, f"{self.words}: {said}"
        return said

    def dies(self) -> None:
        """At once, with all that it has begun, as when a laptop's battery is empty."""
        self.was_killed = True
        os.killpg(self.process.pid, signal.SIGKILL)
