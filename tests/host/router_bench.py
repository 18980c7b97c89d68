"""A real HAProxy on loopback with a folder of its own, and small apps behind it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.host import router as host_router
from deployer.host import router_service
from deployer.host.paths import Paths
from deployer.host.router import Router
from deployer.host.router_settings import Settings
from deployer.model.routes import Routes, Server

PROGRAM = Path(__file__).with_name("router_app.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """HAProxy as a master with a worker, kept by nobody but the test."""

    config: Path
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.running is None or self.running.poll() is not None:
            words = [router_service.PROGRAM, "-W", "-f", str(self.config)]
            with self.log.open("ab") as log:
                self.running = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)

    def reload(self) -> None:
        assert self.running is not None
        self.running.send_signal(signal.SIGUSR2)

    def stop(self) -> None:
        if self.running is not None:
            self.running.terminate()
            self.running.wait(10)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Bench:
    """One router and its apps."""

    folder: Path
    port: int
    router: Router
    process: Process
    apps: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def serve(self, word: str = "hello", port: int | None = None, delay: float = 0) -> int:
        """Start an app that says `word`; its port, bound already unless it starts late."""
        port = port or free_port()
        self.apps.append(subprocess.Popen([sys.executable, "-I", str(PROGRAM), str(port), word, str(delay)]))
        if not delay:
            wait_for(lambda: _connects(port))
        return port

    def stop(self, index: int = -1) -> None:
        self.apps[index].send_signal(signal.SIGTERM)
        self.apps[index].wait(5)

    def switch(self, *ports: int, app: str = "shop", generation: int = 1, intent: str = "running") -> bool:
        return host_router.put_in_force(self.router, routes(*ports, app=app, generation=generation, intent=intent))

    def get(self, path: str = "/", host: str = "shop.test", method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers={"Host": host, **named})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())
        finally:
            connection.close()

    def try_get(self) -> str:
        """The page that comes within a second; empty where none does."""
        with suppress(TimeoutError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()
        return ""

    def lines(self, count: int = 1) -> list[str]:
        """The router's last log lines, once there are so many."""

        def found() -> list[str]:
            return [line for line in self.process.log.read_text().splitlines() if "be=" in line]

        wait_for(lambda: len(found()) >= count)
        return found()


def routes(*ports: int, app: str = "shop", generation: int = 1, intent: str = "running") -> Routes:
    servers = tuple(
        Server(f"web.{n}", "127.0.0.1", port, f"{app}.web.{n}.v{generation}") for n, port in enumerate(ports, 1) if port
    )
    return Routes(app, generation, (f"{app}.test",), intent, servers)


@contextmanager
def bench(**settings: object) -> Iterator[Bench]:
    """A router in a short folder (a socket's path has at most 107 bytes)."""
    if not Path(router_service.PROGRAM).exists():
        pytest.skip("needs haproxy")
    folder = Path(tempfile.mkdtemp(prefix="d-router-", dir="/tmp"))
    paths = Paths(folder / "srv", folder)
    for part in (paths.apps, paths.haproxy, paths.router_socket.parent):
        part.mkdir(parents=True)
    port = free_port()
    known = {
        "folder": paths.haproxy,
        "run": paths.router_socket.parent,
        "bind": f"127.0.0.1:{port}",
        "log": "stdout len 20000 format raw local0",
        "user": None,
        "version": router_service.version(paths.router_socket),
    }
    router = Router(paths, Settings(**{**known, **settings}), Process(paths.haproxy / "haproxy.cfg", folder / "log"))  # type: ignore[arg-type]
    made = Bench(folder, port, router, router.service)  # type: ignore[arg-type]
    host_router.apply(router, None)
    try:
        yield made
    finally:
        made.process.stop()
        for app in made.apps:
            app.kill()
            app.wait()
        shutil.rmtree(folder)


def wait_for(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _connects(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Load:
    """Requests of several clients, each on a connection that it keeps, until told to end."""

    def __init__(
        self,
        port: int,
        clients: int = 4,
        *,
        method: str = "GET",
        pause: float = 0.005,
        address: str = "127.0.0.1",
        host: str = "shop.test",
    ) -> None:
        self.failures: list[str] = []
        self.answers: list[str] = []
        self._ended = threading.Event()
        self._port, self._method, self._pause = port, method, pause
        self._address, self._host = address, host
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=60)
        while not self._ended.is_set():
            try:
                connection.request(self._method, "/wait/0.01", body=b"x=1", headers={"Host": self._host})
                response = connection.getresponse()
                text = response.read().decode()
                if response.status == 200:
                    self.answers.append(text.split()[0])
                else:
                    self.failures.append(f"{response.status} {text[:200]}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            time.sleep(self._pause)
        connection.close()


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
