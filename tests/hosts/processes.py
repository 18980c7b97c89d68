"""Commands in the background: brought to a point, ended, and what they said."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.hosts.afflicted import Afflicted
from tests.hosts.outside import wait_until


def frozen(person: Afflicted, point: str, *words: str) -> subprocess.Popen[bytes]:
    """A command that has stopped at the point."""
    started = person.starts(*person.meets(point, "SIGSTOP", *words))
    wait_until(lambda: _is_frozen(started), 30, f"{words} to come to {point}")
    return started


def end(process: subprocess.Popen[bytes], status: int) -> str:
    """What it said on standard error until its end."""
    said = process.communicate(timeout=120)[1].decode(errors="replace")
    assert process.returncode == status, said
    return said


def _is_frozen(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, process.communicate()
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
