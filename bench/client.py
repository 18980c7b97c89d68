"""Somebody outside who asks again and again while something is deployed, and what they saw of it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

EVERY = 0.004  # seconds between two requests, all clients together
PATIENCE = 60.0  # seconds until a new version must have answered


@dataclass(frozen=True, slots=True)
class Run:
    """One change: seconds from the command's start until every host answered with the new version (`live`) and until
    the command ended (`returned`); requests asked and failed meanwhile, and bytes that went to the hosts."""

    live: float
    returned: float
    asked: int
    failed: int
    sent: int = 0


@dataclass
class Client:
    """Asks one address; remembers when an answer first held a text."""

    address: str
    port: int
    host: str
    pause: float = EVERY
    asked: int = 0
    failed: int = 0
    seen: dict[str, float] = field(default_factory=dict)

    def ask(self, stop: threading.Event) -> None:
        """Until told to stop."""
        while not stop.wait(self.pause):
            self.asked += 1
            try:
                status, body = self.once()
            except (OSError, http.client.HTTPException):
                status, body = 0, ""
            if status == 200:
                self.seen.setdefault(body, time.monotonic())
            else:
                self.failed += 1

    def once(self) -> tuple[int, str]:
        """The status and the body of one answer."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": self.host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def first(self, text: str, deadline: float) -> float:
        """When an answer first held the text; TimeoutError at the deadline."""
        while time.monotonic() < deadline:
            for body, when in list(self.seen.items()):
                if text in body:
                    return when
            time.sleep(0.002)
        raise TimeoutError(f"{self.host} on {self.address} never answered with {text!r}")


@contextmanager
def asking(clients: Sequence[Client]) -> Iterator[None]:
    """All of them ask while the block runs."""
    stop = threading.Event()
    threads = [threading.Thread(target=client.ask, args=(stop,), daemon=True) for client in clients]
    for client, thread in zip(clients, threads, strict=True):
        client.pause = EVERY * len(clients)
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def timed(clients: Sequence[Client], greeting: str, work: Callable[[], int | None]) -> Run:
    """Run a change after which all hosts say `greeting`, while clients ask. `work` may return the bytes it sent."""
    with asking(clients):
        begun = time.monotonic()
        sent = work() or 0
        returned = time.monotonic() - begun
        live = max(client.first(greeting, time.monotonic() + PATIENCE) for client in clients) - begun
    return Run(live, returned, sum(one.asked for one in clients), sum(one.failed for one in clients), sent)
