"""How a run types commands: their screens, and a Ctrl-C while one runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deployer.spaces.aws.account import Account
from smoke.place import Place, type_one
from tests.infra.cloud_here import ROOT

pytestmark = pytest.mark.edge
# A command that an interrupt reaches, and that ends in good order, which takes it a moment.
END = "lambda *_: (time.sleep(0.5), print('ended'), sys.exit(130))"
SLOW = f"import signal, sys, time; signal.signal(signal.SIGINT, {END})"
TYPING = """
import sys
from pathlib import Path
from deployer.spaces.aws.account import Account
from smoke.place import Place, type_one
words = (sys.executable, "-u", "-c", sys.argv[2])
try:
    type_one(Place(Account("us-east-1"), words), Path(sys.argv[1]), (), lambda text: print(text, end="", flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def echo(folder: Path, *words: str) -> tuple[list[str], list[str], str]:
    """What is kept of a command that says something on both of its streams: shown, lines, stdout apart."""
    told: list[str] = []
    program = "import sys; print('data'); sys.stdout.flush(); print('progress', file=sys.stderr); sys.exit(3)"
    typed = type_one(Place(Account("us-east-1"), (sys.executable, "-c", program)), folder, words, told.append)
    assert (typed.status, typed.command) == (3, " ".join(("deployer", *words)))
    return told, list(typed.lines), typed.out


def test_a_screen_is_both_streams_and_data_for_programs_is_kept_apart(tmp_path: Path) -> None:
    assert echo(tmp_path, "up") == (["$ deployer up\n", "data\n", "progress\n"], ["data", "progress"], "")
    told, lines, out = echo(tmp_path, "preview", "--json")
    assert ("".join(told), lines, out) == ("$ deployer preview --json\nprogress\n", ["progress"], "data\n")


def test_an_interrupt_waits_for_the_command_to_end(tmp_path: Path) -> None:
    program = f"{SLOW}; print('begun'); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", TYPING, str(tmp_path), program],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        while other.stdout.readline() != "begun\n":
            pass
        os.killpg(other.pid, signal.SIGINT)
        assert other.stdout.read().splitlines() == ["ended", "interrupted"]
