"""A process that outlives the command that started it, and is known again by its number and the time of its start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Process:
    """The process that the file `record` is about; its output goes to `log`."""

    record: Path
    log: Path

    def start(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> int:
        """Start it in a session of its own; its number."""
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd="/", start_new_session=True
            )
        note(self.record, child.pid)
        child.returncode = 0  # it outlives us: not ours to wait for
        return child.pid

    @property
    def pid(self) -> int | None:
        """Its number while it runs. A number that another process has since got is not it."""
        return noted(self.record)

    def stop(self, patience: float) -> None:
        """Ask it to end; kill it where it still runs after `patience` seconds."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                self._wait(patience)
        self.record.unlink(missing_ok=True)

    def end_of_log(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _wait(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.02)


def note(record: Path, pid: int) -> None:
    """Write down which process is meant."""
    aside = record.with_name(f"{record.name}.new")
    aside.write_text(json.dumps({"pid": pid, "started": started(pid), "boot": BOOT.read_text().strip()}) + "\n")
    aside.rename(record)


def noted(record: Path) -> int | None:
    """The number of the process that is meant, while it runs."""
    with suppress(FileNotFoundError, ValueError, KeyError):
        known = json.loads(record.read_text())
        boot = BOOT.read_text().strip()
        if started(known["pid"]) == known["started"] != "" and known.get("boot", boot) == boot:
            return int(known["pid"])
    return None


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty where there is none, or only its remains."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""
