"""What needs no deploy: how fast commands start, what the router costs a request, what an idle host has of ours."""

from __future__ import annotations

import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.place import NAME, PROGRAM, Place, run
from bench.report import Row, Section, alone
from deployer.host import router_service
from tests.host.router_bench import Bench, bench, free_port, wait_for

HELP = 0.120  # seconds
MEMORY = 40.0  # MiB of ours on an idle host
REQUESTS = 2000  # one after another, for latency
LOAD_SECONDS = 3.0
CLIENTS = 8
ASK = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"
ORIGIN = """\
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend origin
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string "hello"
"""
SUM_OF_PSS = (
    "for p in $(pgrep -x haproxy) $(pgrep -x systemd-journal); do "
    "awk '/^Pss:/ { print $2 }' /proc/$p/smaps_rollup; done"
)


def start_up(place: Place, app: str, times: int) -> Section:
    """Seconds of commands that only look."""
    here = ("-a", f"{NAME}/{app}")
    commands: list[tuple[Sequence[str], float | None]] = [
        (("--help",), HELP),
        (("ps", *here), None),
        (("logs", *here), None),
    ]
    rows = [
        alone(f"deployer {words[0]}", [_seconds(words) for _ in range(times + 1)][1:], budget)
        for words, budget in commands
    ]
    rows.insert(1, alone("python3 -c pass", [_seconds_of(["python3", "-I", "-c", "pass"]) for _ in range(times)]))
    return Section("Start-up", rows)


def memory(place: Place) -> Section:
    """What the router and the journal of an idle host take: the whole of ours that stays."""
    sizes = place.shell(place.hosts[0], SUM_OF_PSS).split()
    return Section(
        "An idle host",
        [alone("router and journal, proportional set size", [sum(map(int, sizes)) / 1024], MEMORY, "MiB")],
    )


def router() -> Section:
    """A router with our configuration before an origin that answers at once, beside the origin itself."""
    with _origin() as port, bench() as alone_on_loopback:
        assert isinstance(alone_on_loopback, Bench)
        alone_on_loopback.switch(port)
        wait_for(alone_on_loopback.try_get)
        through, direct = _latencies(alone_on_loopback.port), _latencies(port)
        busy, plain = _throughput(alone_on_loopback.port), _throughput(port)
    median = statistics.median
    rows = [
        Row("a request, median", "ms", median(through), median(direct), median(through) / median(direct)),
        Row("a request, 99 of 100 within", "ms", _most(through), _most(direct), _most(through) / _most(direct)),
        Row(f"requests a second, {CLIENTS} clients", "", round(busy), round(plain), busy / plain),
    ]
    note = (
        "Beside: the same requests straight to the dyno, here HAProxy answering from memory. The router opens a\n"
        "connection to the dyno for each request and writes a line about it; router, dyno and clients share the cores."
    )
    return Section("The router", rows, [note])


@contextmanager
def _origin() -> Iterator[int]:
    """The fastest origin that is at hand: HAProxy itself, answering from memory."""
    port = free_port()
    with TemporaryDirectory(prefix="deployer-bench-", dir="/tmp") as folder:
        config = Path(folder, "origin.cfg")
        config.write_text(ORIGIN.format(port=port))
        with subprocess.Popen([router_service.PROGRAM, "-db", "-f", str(config)], stderr=subprocess.DEVNULL) as origin:
            try:
                wait_for(lambda: _answers(port))
                yield port
            finally:
                origin.terminate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _latencies(port: int) -> list[float]:
    """Milliseconds of requests one after another on one connection."""
    found = []
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            connection.sendall(ASK)
            connection.recv(1 << 16)
            found.append((time.perf_counter() - begun) * 1000)
    return found


def _most(values: Sequence[float]) -> float:
    """Within which 99 of 100 are."""
    return sorted(values)[len(values) * 99 // 100]


def _throughput(port: int) -> float:
    """Requests a second of several clients, each on a connection of its own."""
    counts = [0] * CLIENTS
    end = time.monotonic() + LOAD_SECONDS

    def ask(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.monotonic() < end:
                connection.sendall(ASK)
                connection.recv(1 << 16)
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / LOAD_SECONDS


def _seconds(words: Sequence[str]) -> float:
    return _seconds_of([PROGRAM, *words])


def _seconds_of(words: Sequence[str]) -> float:
    begun = time.monotonic()
    run(words)
    return time.monotonic() - begun
