"""A program and its caller, over a real channel: the agent's side runs in a process of its own."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel, read_message
from deployer.host.paths import Paths
from deployer.host.psql import environment, psql, psql_words

pytestmark = pytest.mark.edge
ROOT = Path(__file__).parent.parent.parent
AGENT = """
import sys
from deployer.host.channel import Channel, ChannelClosed
from deployer.host.paths import Paths
from deployer.host.psql import attend, start
channel = Channel(sys.stdin.buffer, sys.stdout.buffer, Paths())
channel.start()
request, _ = channel.receive()
try:
    with channel.guarding(survives=False):
        window = tuple(request["window"]) if request["window"] else None
        streams, process = start(request["words"], {"PATH": "/usr/bin:/bin"}, window)
        channel.result({"status": attend(streams, process, channel)})
    while "call" not in (message := channel.receive()[0]):
        pass
    channel.result({"next": message})
except ChannelClosed:
    pass
"""


class Caller:
    """Talks to `attend`."""

    def __init__(self, words: list[str], window: tuple[int, int] | None = None) -> None:
        command = [sys.executable, "-c", AGENT]
        self.agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        self.send({"words": words, "window": window})

    def send(self, message: dict[str, Any], data: bytes = b"") -> None:
        assert self.agent.stdin
        line = {**message, "bytes": len(data)} if data else message
        self.agent.stdin.write(json.dumps(line).encode() + b"\n" + data)
        self.agent.stdin.flush()

    def type(self, data: bytes) -> None:
        self.send({"data": True}, data)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        assert self.agent.stdout
        received = read_message(self.agent.stdout)
        assert received is not None
        return received

    def until(self, wanted: bytes) -> bytes:
        """What comes on standard output up to and with `wanted`."""
        heard = b""
        while wanted not in heard:
            message, data = self.receive()
            assert message.get("event") == "data", (message, heard)
            heard += data
        return heard

    def rest(self) -> tuple[int, dict[str, bytes]]:
        """The program's status, and the rest of its output by stream."""
        heard: dict[str, bytes] = {}
        while True:
            message, data = self.receive()
            if "result" in message:
                return message["result"]["status"], heard
            heard[message["stream"]] = heard.get(message["stream"], b"") + data

    def close(self) -> None:
        assert self.agent.stdin and self.agent.stdout
        self.agent.stdin.close()
        self.agent.wait(20)
        self.agent.stdout.close()


@pytest.fixture
def callers() -> Iterator[list[Caller]]:
    made: list[Caller] = []
    yield made
    for caller in made:
        caller.close()


def call(callers: list[Caller], words: list[str], window: tuple[int, int] | None = None) -> Caller:
    callers.append(Caller(words, window))
    return callers[-1]


def test_streams_stay_apart_and_the_status_is_passed_on(callers: list[Caller]) -> None:
    caller = call(callers, ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert caller.rest() == (7, {"stdout": b"out\n", "stderr": b"err\n"})


def test_input_reaches_the_program_byte_for_byte_to_its_end(callers: list[Caller]) -> None:
    caller = call(callers, ["sha256sum"])
    for _ in range(64):
        caller.type(bytes(range(256)) * 1024)
    caller.send({"end": True})
    status, heard = caller.rest()
    assert (status, heard["stdout"].split()[0]) == (
        0,
        b"341aacac661ccb210720bedaa9ead5d668fe5ea41a73532fc147c71e34040df1",
    )


def test_a_program_that_reads_nothing_ends_all_the_same(callers: list[Caller]) -> None:
    caller = call(callers, ["true"])
    for _ in range(40):
        caller.type(b"x" * 65536)
    caller.send({"end": True})
    assert caller.rest()[0] == 0


def test_what_comes_after_the_programs_end_is_the_next_request(callers: list[Caller]) -> None:
    caller = call(callers, ["true"])
    assert caller.rest()[0] == 0
    caller.send({"call": "facts"})
    assert caller.receive()[0] == {"result": {"next": {"call": "facts"}}}


def test_a_terminal_has_its_size_and_follows_the_window(callers: list[Caller]) -> None:
    script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done"
    caller = call(callers, ["sh", "-c", script], (123, 45))
    caller.until(b"45 123")
    caller.send({"resize": [99, 33]})
    caller.until(b"33 99")


def test_control_c_and_end_of_input_work_in_a_terminal(callers: list[Caller]) -> None:
    caller = call(callers, ["sh", "-c", "trap 'echo caught' INT; echo ready; cat; cat; exit 3"], (80, 24))
    caller.until(b"ready")
    time.sleep(0.2)
    caller.type(b"\x03")
    caller.until(b"caught")
    caller.send({"end": True})
    assert caller.rest()[0] == 3


def test_a_signal_reaches_a_program_without_a_terminal(callers: list[Caller]) -> None:
    caller = call(callers, ["sh", "-c", "echo ready; exec sleep 60"])
    caller.until(b"ready")
    caller.send({"signal": "INT"})
    assert caller.rest()[0] == 128 + signal.SIGINT


@pytest.mark.parametrize("window", [None, (80, 24)])
def test_when_the_caller_goes_the_program_goes(callers: list[Caller], window: tuple[int, int] | None) -> None:
    caller = call(callers, ["sh", "-c", "trap '' HUP; echo $$; while :; do sleep 0.1; done"], window)
    pid = int(caller.until(b"\n"))
    caller.close()
    callers.remove(caller)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_password_is_in_the_environment_and_in_no_argument() -> None:
    url = "postgresql://u1:p%25w@10.0.0.1:5432/u1?sslmode=verify-full"
    words = psql_words(Path("/bin"), url, "shop::50%", ["SELECT 1", "SELECT 2"])
    assert words == [
        "/bin/psql", "--no-psqlrc", "--set", "PROMPT1=shop::50%%%R%# ", "--set", "PROMPT2=shop::50%%%R%# ",
        "-c", "SELECT 1", "-c", "SELECT 2", "postgresql://u1@10.0.0.1:5432/u1?sslmode=verify-full",
    ]  # fmt: skip
    assert environment(url, "xterm")["PGPASSWORD"] == "p%w"


@pytest.mark.parametrize("uid", [0, 1000, 19999, 30000])
def test_nobody_but_an_apps_user_runs_it(uid: int) -> None:
    with pytest.raises(HostFailure, match="bad-request"):
        psql({"uid": uid}, Channel(io.BytesIO(), io.BytesIO(), Paths()))
