"""Signals as a command gets them: one undoes, the same again does not cut that off, a third one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from deployer.cli.interrupts import SIGNALS, undoing_once

SCRIPT = """
import signal, time
from deployer.cli.interrupts import undoing_once
with undoing_once():
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        print("undoing", flush=True)
        for _ in range({patience}):
            time.sleep(0.02)
        print("undone", flush=True)
"""


def after(*numbers: int, patience: int = 25) -> tuple[str, str]:
    """What a command says to these signals, one after another: streams without its traceback."""
    words = [sys.executable, "-c", SCRIPT.format(patience=patience)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(numbers[0])
        assert process.stdout.readline() == "undoing\n"
        for number in numbers[1:]:
            process.send_signal(number)
            _pause()
        out, err = process.communicate(timeout=20)
    return out, err


def _pause() -> None:
    """Two signals that come at once are one."""
    signal.sigtimedwait([], 0.05)


@pytest.mark.edge
@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_one_undoes(number: int) -> None:
    out, err = after(number)
    assert out == "undone\n"
    assert "what was begun" not in err


@pytest.mark.edge
def test_a_second_ctrl_c_is_answered_and_cuts_nothing_off() -> None:
    out, err = after(signal.SIGINT, signal.SIGINT)
    assert out == "undone\n"
    assert " !     Undoing or finishing what was begun. Ctrl-C once more leaves it as it is.\n" in err


@pytest.mark.edge
def test_what_git_sends_after_a_ctrl_c_is_nothing_to_speak_of() -> None:
    out, err = after(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    assert out == "undone\n"
    assert "Undoing" not in err


@pytest.mark.edge
def test_a_third_ctrl_c_leaves_it_as_it_is() -> None:
    out, _ = after(signal.SIGINT, signal.SIGINT, signal.SIGINT, patience=1000)
    assert out == ""


def test_afterwards_the_signals_mean_what_they_meant() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with undoing_once(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGHUP)
        signal.sigtimedwait([], 1)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with undoing_once():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
