"""The agent's frame, as a real process: messages, errors, and what the end of the channel does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


class Agent:
    """A child process that serves the calls of agent_of_tests."""

    def __init__(self, root: Path) -> None:
        words = [sys.executable, "-m", "tests.host.agent_of_tests", str(root)]
        self.process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def say(self, message: dict[str, Any], data: bytes = b"") -> None:
        extra = {"bytes": len(data)} if data else {}
        self.stdin.write(json.dumps({**message, **extra}).encode() + b"\n" + data)
        self.stdin.flush()

    def hear(self) -> tuple[dict[str, Any], bytes]:
        message = json.loads(self.stdout.readline())
        return message, self.stdout.read(message.get("bytes", 0))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.stdout.close()
        with suppress(BrokenPipeError):
            self.stdin.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Agent]]:
    """Starts agents of one host, whose root is tmp_path."""
    agents: list[Agent] = []

    def begin() -> Agent:
        agents.append(Agent(tmp_path))
        return agents[-1]

    yield begin
    for agent in agents:
        agent.end()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_carry_bytes_and_the_result_comes_last(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "echo", "text": "ä\udcff\n"})
    assert agent.hear() == ({"event": "echo", "bytes": 10}, b"raw\nbytes\0")
    assert agent.hear()[0]["result"]["text"] == "ä\udcff\n"


def test_a_full_disk_is_no_defect_of_ours(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "fill"})
    assert agent.hear()[0]["error"] == {
        "code": "no-space",
        "details": {"call": "fill", "reason": "No space left on device"},
    }


def test_a_failure_is_its_code_and_its_facts_and_the_agent_goes_on(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "fail"})
    assert agent.hear()[0] == {"error": {"code": "no-memory", "details": {"needed": 3}}}
    agent.say({"call": "nonsense"})
    assert agent.hear()[0]["error"]["code"] == "unknown-call"
    agent.say({"call": "echo"})
    assert agent.hear()[0]["event"] == "echo"


def test_a_crash_is_told_with_its_traceback(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "crash"})
    error = agent.hear()[0]["error"]
    assert error["code"] == "defect"
    assert "ZeroDivisionError: one by none" in error["details"]["traceback"]


def test_the_end_of_the_channel_ends_a_call_and_its_finally_blocks_run(
    start: Callable[[], Agent], tmp_path: Path
) -> None:
    agent = start()
    agent.say({"call": "work", "seconds": 20})
    until((tmp_path / "begun").exists)
    agent.stdin.close()
    assert agent.process.wait(10) == 0
    assert (tmp_path / "undone").exists()
    assert not (tmp_path / "done").exists()


def test_a_call_that_survives_ends_its_work_with_nobody_to_hear_it(start: Callable[[], Agent], tmp_path: Path) -> None:
    agent = start()
    agent.say({"call": "survivor"})
    until((tmp_path / "begun").exists)
    agent.stdin.close()
    agent.stdout.close()
    assert agent.process.wait(10) == 0
    assert (tmp_path / "done").exists()


def test_programs_neither_read_the_channel_nor_write_to_it(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "program"})
    agent.say({"call": "echo"})
    assert agent.hear()[0] == {"result": {"status": 0}}
    assert agent.hear()[0]["event"] == "echo"


def test_messages_reach_a_listener_with_those_that_came_before_it(start: Callable[[], Agent]) -> None:
    agent = start()
    agent.say({"call": "hear", "until": 3})
    agent.say({"key": "a"}, b"one")
    assert agent.hear()[0] == {"event": "listening"}
    agent.say({"key": "b"}, b"two")
    agent.say({"key": "c"})
    assert agent.hear()[0] == {"result": {"heard": [["a", "one"], ["b", "two"], ["c", ""]]}}
    agent.say({"key": "late"})
    agent.say({"call": "echo"})
    assert agent.hear()[0]["event"] == "echo"


def test_a_newer_command_ends_an_older_agent_that_is_at_work(start: Callable[[], Agent], tmp_path: Path) -> None:
    older, newer = start(), start()
    older.say({"call": "change", "app": "shop", "token": 7})
    until((tmp_path / "begun").exists)
    newer.say({"call": "touch", "app": "shop", "token": 8})
    assert newer.hear()[0]["event"] == "echo"
    assert older.process.wait(10) == 0
    assert (tmp_path / "undone").exists()


@pytest.mark.edge  # it waits for the grace that an agent gets
def test_a_newer_command_ends_an_agent_that_was_stopped(start: Callable[[], Agent], tmp_path: Path) -> None:
    older, newer = start(), start()
    older.say({"call": "change", "app": "shop", "token": 7})
    until((tmp_path / "begun").exists)
    older.process.send_signal(signal.SIGSTOP)
    newer.say({"call": "touch", "app": "shop", "token": 8})
    assert newer.hear()[0]["event"] == "echo"
    assert older.process.wait(10) == -signal.SIGKILL


def test_agents_of_other_apps_and_of_the_same_lease_are_left_alone(start: Callable[[], Agent], tmp_path: Path) -> None:
    older, newer = start(), start()
    older.say({"call": "change", "app": "shop", "token": 7})
    until((tmp_path / "begun").exists)
    for app, token in (("blog", 9), ("shop", 7)):
        newer.say({"call": "touch", "app": app, "token": token})
        assert newer.hear()[0]["event"] == "echo"
        assert "result" in newer.hear()[0]
    assert older.hear()[0] == {"event": "slept"}


def test_an_older_command_that_wakes_up_is_refused(start: Callable[[], Agent]) -> None:
    asleep, newer = start(), start()
    newer.say({"call": "touch", "app": "shop", "token": 8})
    newer.hear()
    asleep.say({"call": "touch", "app": "shop", "token": 7})
    details = {"app": "shop", "token": 7, "highest": 8}
    assert asleep.hear()[0] == {"error": {"code": "lease-lost", "details": details}}
