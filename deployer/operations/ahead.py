"""A build beside something else that takes minutes, in a process of its own, which a Ctrl-C does not reach by itself.

What it makes lies in the app's cache on this machine: the build of the release finds it there, and has little left to
do. The process speaks JSON lines, as the builder on a host does: the order; events, again and again; that it is done,
or a failure. The end of its standard input ends it, with all that it has started.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from deployer.build import elsewhere
from deployer.build.build import build
from deployer.build.builder import Wire, told
from deployer.build.elsewhere import Order
from deployer.build.source import Source
from deployer.errors.base import Failure
from deployer.model import events
from deployer.model.events import Detail, Event, Step, Tell, Warn
from deployer.model.platforms import parse

MODULE = "deployer.operations.ahead"


class Ahead:
    """A build under way. What it says is held back, and told where it fails: nobody reads two things at once."""

    def __init__(self, order: Order, name: str, tell: Tell) -> None:
        self._name, self._tell, self._since = name, tell, time.monotonic()
        self._heard: list[Event] = []
        self._failure: Failure | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="deployer-ahead-"))
        order.source.fill(self._folder)  # what there is to tell of it the release tells
        tell(Step(f"Building {name} meanwhile"))
        words = [sys.executable, "-m", MODULE]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=nowhere, start_new_session=True)
        self._thread = threading.Thread(target=self._follow, args=(_request(order, self._folder),), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until it has ended; its failure. One that ended without a word has helped nobody, and the release builds."""
        if self._thread.is_alive():
            self._tell(Step(f"Waiting for the build of {self._name} to end"))
        self._thread.join()
        if self._failure:
            raise self._failure

    def end(self) -> None:
        """End it, wherever it is, and leave nothing behind but what the cache has."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _follow(self, request: bytes) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):  # it has ended already
            self._process.stdin.write(request)
            self._process.stdin.flush()
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                return  # it was ended in the middle of a word
            message = json.loads(line)
            if "event" in message:
                self._heard.append(getattr(events, message["event"])(**message["facts"]))
            elif "failure" in message:
                self._fails(elsewhere.failure(message["failure"]))
            else:
                self._tell(Detail(f"{self._name} is built, {time.monotonic() - self._since:.0f} s"))

    def _fails(self, failure: Failure) -> None:
        self._failure = failure
        self._tell(Step(f"The build of {self._name} said:"))
        for event in self._heard:
            self._tell(event)
        self._tell(Warn(f"{failure.paragraphs()[0]} The space is made to its end; nothing is released."))


def _request(order: Order, folder: Path) -> bytes:
    facts = {
        "folder": str(folder),
        "app": order.app,
        "platform": str(order.platform),
        "buildpacks": list(order.buildpacks),
        "config": order.config,
        "commit": order.source.commit,
    }
    return json.dumps(facts).encode() + b"\n"


def main() -> None:
    """The build, in its own process."""
    wire = Wire(sys.stdin.buffer, sys.stdout.buffer)
    order, _ = wire.receive()
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _build(order, wire.tell)
        wire.send({"built": order["app"]})
    except Failure as failure:
        wire.send({"failure": told(failure)})
    os._exit(0)  # the other thread still reads


def _end_with_input() -> None:
    """Nobody waits for it any more. It leads a session of its own: all that it has started ends with it."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def _build(order: dict[str, Any], tell: Tell) -> None:
    folder = Path(order["folder"])

    def fill(place: Path) -> list[str]:
        shutil.copytree(folder, place, symlinks=True, dirs_exist_ok=True)
        return []

    build(
        Source(order["commit"], None, fill),
        app=order["app"],
        platform=parse(order["platform"]),
        buildpacks=tuple(order["buildpacks"]),
        config=order["config"],
        tell=tell,
    )


if __name__ == "__main__":
    main()
