"""The slow link of tests and benchmarks is as slow as it says, and carries every byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bench.slow_link import Link, slow_links

pytestmark = pytest.mark.edge


@pytest.fixture
def echo() -> Iterator[str]:
    """Somebody who sends back what comes, until it ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connected, _ = server.accept()
            with connected:
                while data := connected.recv(1 << 16):
                    connected.sendall(data)

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def sent(port: int, data: bytes) -> tuple[bytes, float]:
    """What comes back, and after how many seconds all of it was there."""
    with socket.create_connection(("127.0.0.1", port), 30) as connected:
        before = time.monotonic()
        threading.Thread(target=lambda: (connected.sendall(data), connected.shutdown(socket.SHUT_WR))).start()
        back = b"".join(iter(lambda: connected.recv(1 << 16), b""))
        return back, time.monotonic() - before


@pytest.mark.parametrize(
    ("link", "size", "least"), [(Link(0.1), 10, 0.2), (Link(0.0, 50_000), 20_000, 0.4)], ids=["late", "narrow"]
)
def test_a_link_takes_its_time_and_loses_nothing(echo: str, link: Link, size: int, least: float) -> None:
    with slow_links(link, [echo]) as (port,):
        data = bytes(range(256)) * (size // 256 + 1)
        back, seconds = sent(port, data)
    assert back == data
    assert seconds >= least
