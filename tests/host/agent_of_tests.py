"""An agent with calls that only tests need: run as a program, `python -m tests.host.agent_of_tests ROOT`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.calls import Call, Function
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.host.serve import _take_over_standard_streams, serve


class HereCall(Call):
    """A call whose function is in this file."""

    def load(self) -> Function:
        function: Function = globals()[self.where]
        return function


def echo(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Everything back, as an event with bytes and as the result."""
    channel.event({"event": "echo"}, b"raw\nbytes\0")
    return request


def fail(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """A failure that has a code."""
    raise HostFailure("no-memory", {"needed": 3})


def fill(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """A write to a disk that is always full."""
    with Path("/dev/full").open("w") as full:
        full.write("x")
    return {}


def crash(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """A failure that nobody foresaw."""
    raise ZeroDivisionError("one by none")


def work(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Half a second of work, or `seconds`; leaves `begun`, then `done` or `undone`."""
    (channel.paths.root / "begun").touch()
    ended = "undone"
    try:
        time.sleep(request.get("seconds", 0.5))
        channel.event({"event": "slept"})
        ended = "done"
    finally:
        (channel.paths.root / ended).touch()
    return {}


def program(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """A program that reads everything there is and writes to standard output."""
    return {"status": subprocess.run(["sh", "-c", "cat; echo noise"], check=False).returncode}


def hear(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """What comes while it listens."""
    heard: list[Any] = []
    with channel.listening(lambda message, data: heard.append([message["key"], data.decode()])):
        channel.event({"event": "listening"})
        while len(heard) < request["until"]:
            time.sleep(0.01)
    return {"heard": heard}


CALLS = {name: HereCall(name) for name in ("echo", "fail", "fill", "crash", "work", "program", "hear")} | {
    "survivor": HereCall("work", survives=True),
    "change": HereCall("work", fenced=True),
    "touch": HereCall("echo", fenced=True),
}


if __name__ == "__main__":
    sys.exit(serve(*_take_over_standard_streams(), Paths(root=Path(sys.argv[1])), CALLS))
