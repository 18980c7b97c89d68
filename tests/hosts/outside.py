"""Users of an app, outside: they ask the front at a bounded rate while something happens to the app, and count.

Only loopback's front, or a host that the tests made, is ever asked. The app behind it is `tests/host/router_app.py`,
which begins every answer with the release that it belongs to.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

FRONT = "127.0.0.1"
ROUTERS_WORD = re.compile(r"<footer>(H\d\d.*)</footer>")  # of a page that a router gives where no dyno answers
PATIENCE = 90.0  # seconds for one answer: a request may be held for 75
Connection = http.client.HTTPConnection


@dataclass(frozen=True, slots=True)
class Habit:
    """How one of them asks, `rate` times a second. `fresh`: a connection for every request."""

    name: str
    rate: float
    method: str = "GET"
    path: str = "/"
    fresh: bool = False


HABITS = (
    Habit("keep-alive GET", 20),
    Habit("fresh GET", 20, fresh=True),
    Habit("keep-alive POST", 8, "POST"),
    Habit("fresh POST", 8, "POST", fresh=True),
    Habit("slow GET", 2, path="/wait/0.3"),
    Habit("slow POST", 2, "POST", "/wait/0.3", fresh=True),
)


@dataclass
class Outside:
    """Everybody who asks for one app. A failure is whatever is no 200 of the app itself."""

    port: int
    app: str
    habits: tuple[Habit, ...] = HABITS
    address: str = FRONT
    host: str = ""  # in the Host header; the app's name below localhost where it is empty
    answered: Counter[str] = field(default_factory=Counter)  # by habit
    versions: list[str] = field(default_factory=list)  # in the order of their first answers
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0  # seconds that the slowest answer took
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return self.answered.total()

    @contextmanager
    def asking(self) -> Iterator[Outside]:
        """They ask for as long as the block takes, and each finishes its last request."""
        self._ended.clear()
        threads = [threading.Thread(target=self._ask, args=(habit,), daemon=True) for habit in self.habits]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(PATIENCE)

    def lost_nothing(self, at_least: int = 1) -> None:
        """Whether every request was answered, and there were some."""
        assert not self.failures, f"{len(self.failures)} of {self.count + len(self.failures)} failed:\n" + "\n".join(
            self.failures[:20]
        )
        assert self.count >= at_least, f"only {self.count} requests were made"

    def _ask(self, habit: Habit) -> None:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=PATIENCE)
        while not self._ended.is_set():
            began = time.monotonic()
            self._once(habit, connection)
            if habit.fresh:
                connection.close()
            self.longest = max(self.longest, time.monotonic() - began)
            self._ended.wait(max(0.0, 1 / habit.rate - (time.monotonic() - began)))
        connection.close()

    def _once(self, habit: Habit, connection: Connection) -> None:
        said, began = "", time.strftime("%H:%M:%S")
        try:
            body = b"x=1" if habit.method == "POST" else None
            host = self.host or f"{self.app}.localhost"
            connection.request(habit.method, habit.path, body=body, headers={"Host": host})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            if answer.status != 200:
                said = f"{answer.status} {' '.join(ROUTERS_WORD.findall(text)) or text[:200]!r}"
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
            connection.close()
        if said:
            self.failures.append(f"{began} {habit.name}: {said}")
            return
        self.answered[habit.name] += 1
        if (version := text.partition(" ")[0]) not in self.versions:
            self.versions.append(version)


class Conversation:
    """A connection that was upgraded, as a websocket is, and says a line five times a second; each must come back."""

    def __init__(self, port: int, app: str) -> None:
        self.lines = 0
        self.broken = ""
        self._ended = threading.Event()
        self._connection = socket.create_connection((FRONT, port), timeout=10)
        self._upgrade(app)
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Hang up."""
        self._ended.set()
        self._thread.join(15)
        self._connection.close()

    def _upgrade(self, app: str) -> None:
        asked = f"GET /echo HTTP/1.1\r\nHost: {app}.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        self._connection.sendall(asked.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            got = self._connection.recv(1)
            assert got, f"no upgrade: {answer!r}"
            answer += got
        assert answer.startswith(b"HTTP/1.1 101"), answer

    def _talk(self) -> None:
        with self._connection.makefile("rb") as heard:
            while not self._ended.wait(0.2):
                said = f"line {self.lines}\n".encode()
                try:
                    self._connection.sendall(said)
                    back = heard.readline()
                except OSError as error:
                    back, self.broken = b"", repr(error)
                if not back.endswith(said):
                    self.broken = self.broken or f"{back!r} came back after {self.lines} lines"
                    return
                self.lines += 1


@contextmanager
def talking(port: int, app: str) -> Iterator[Conversation]:
    """Somebody who talks to an app for as long as the block takes."""
    conversation = Conversation(port, app)
    try:
        yield conversation
    finally:
        conversation.end()


def wait_until(condition: Callable[[], object], seconds: float = 20.0, what: str = "it") -> None:
    """Look until it holds; an OSError is no."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if condition():
                return
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what} in vain"
        time.sleep(0.02)
