"""One-off dynos' words, and this terminal as they see it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from deployer.cli.run import command_of, parse_env
from deployer.errors.cli import BadUsage
from tests.cli.conftest import Machine


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["python manage.py shell"], "python manage.py shell"),
        (["echo $MOTTO; exit 3"], "echo $MOTTO; exit 3"),
        (["python", "-c", "print('a b')"], "python -c 'print('\"'\"'a b'\"'\"')'"),
        (["echo", "$HOME"], "echo '$HOME'"),
        (["worker"], "worker"),
    ],
)
def test_one_word_is_a_command_line_and_several_arrive_whole(words: list[str], command: str) -> None:
    assert command_of(words) == command


def test_the_environment_is_written_as_on_heroku() -> None:
    assert parse_env("A=1;B=x=y;") == {"A": "1", "B": "x=y"}
    assert parse_env(None) == {}
    for wrong in ("A", "1A=2", "A=1;=2"):
        with pytest.raises(BadUsage):
            parse_env(wrong)


def test_a_size_that_there_is_not_is_named_before_anything_runs(deployed: Machine) -> None:
    assert deployed.run("run", "--size", "Huge", "bash") == 2
    assert "Basic, Standard-1X" in deployed.err
    assert not deployed.host.asked


CHILD = """
import sys, time
from deployer.cli.terminal import LocalTerminal
terminal = LocalTerminal()
sizes = []
terminal.on_resize(lambda columns, rows: sizes.append((columns, rows)))
try:
    with terminal.raw():
        print("ready", terminal.tty, terminal.columns, terminal.rows, end="\\r\\n", flush=True)
        while True:
            data = terminal.read()
            print(repr(data), sizes, end="\\r\\n", flush=True)
            if data == b"x":
                raise ZeroDivisionError
except ZeroDivisionError:
    print("left", flush=True)
time.sleep(30)
"""


class Person:
    """Somebody at a terminal of 91 columns who has started the child above."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (33, 91))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )

    def types(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def reads(self, until: str) -> str:
        text, deadline = "", time.monotonic() + 20
        while until not in text and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                text += os.read(self.master, 4096).decode()
        assert until in text, text
        return text


@pytest.fixture
def person() -> Iterator[Person]:
    person = Person()
    yield person
    person.process.kill()
    person.process.wait()
    os.close(person.master)
    os.close(person.slave)


@pytest.mark.edge
def test_every_key_reaches_the_dyno_and_the_terminal_is_put_back(person: Person) -> None:
    person.reads("ready True 91 33")
    person.types(b"\x03")
    person.reads("b'\\x03'")
    assert termios.tcgetattr(person.slave) != person.before
    person.types(b"x")
    person.reads("left")
    assert termios.tcgetattr(person.slave) == person.before


@pytest.mark.edge
def test_a_new_size_of_the_window_is_told(person: Person) -> None:
    person.reads("ready")
    termios.tcsetwinsize(person.slave, (50, 120))
    person.process.send_signal(signal.SIGWINCH)
    person.types(b"a")
    person.reads("[(120, 50)]")


@pytest.mark.edge
def test_four_interrupts_in_a_second_end_a_connection_that_hangs(person: Person) -> None:
    person.reads("ready")
    for _ in range(4):
        person.types(b"\x03")
        time.sleep(0.05)
    assert person.process.wait(timeout=10) == 1
    assert termios.tcgetattr(person.slave) == person.before
