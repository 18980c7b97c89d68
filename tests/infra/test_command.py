"""The `pulumi` command's runner: what it hands back, and what becomes of the command when we are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.command import Command
from tests.infra.cloud_here import ROOT

# Says a line as Pulumi does, waits, and notes why it ends.
SCRIPT = """#!/bin/sh
trap 'echo asked; asked="$asked asked"' INT
echo begun
echo "$$" > "$NOTE"
while [ -z "$asked" ]; do sleep 0.05; done
for turn in 1 2 3 4 5 6; do sleep 0.05; done
echo $asked ended > "$NOTE"
"""
DEPLOYER = """
import sys
from infra.command import Command
Command(sys.argv[1], None).run([], ".", {"NOTE": sys.argv[2]})
"""


@pytest.fixture
def pulumi(tmp_path: Path) -> Path:
    path = tmp_path / "pulumi"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def read(note: Path, until: str = "") -> str:
    """What stands there, as soon as it is something, or this."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        text = note.read_text().strip() if note.exists() else ""
        if text and until in text:
            return text
        time.sleep(0.02)
    raise AssertionError(f"{note} does not say {until}")


def test_what_it_says_is_handed_back(tmp_path: Path) -> None:
    path, heard = tmp_path / "pulumi", list[str]()
    path.write_text("#!/bin/sh\necho one; echo two; echo oh >&2; echo $PULUMI_AUTOMATION_API $1 $2\n")
    path.chmod(0o755)
    done = Command(str(path), None).run(["up"], str(tmp_path), {}, heard.append)
    assert done.stdout.splitlines() == heard == ["one", "two", "true --non-interactive up"]
    assert (done.stderr, done.code) == ("oh", 0)


def test_a_kill_of_deployer_asks_pulumi_once_to_stop_and_it_can_still_speak(tmp_path: Path, pulumi: Path) -> None:
    note = tmp_path / "note"
    words = [sys.executable, "-c", DEPLOYER, str(pulumi), str(note)]
    with subprocess.Popen(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as deployer:
        pid = int(read(note))
        assert os.getpgid(pid) != os.getpgid(deployer.pid)
        deployer.send_signal(signal.SIGKILL)
    assert read(note, "ended") == "asked ended"
