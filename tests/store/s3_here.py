"""S3 on loopback: moto's server behind a door that can let requests fail in the ways of the real one.

moto looks and writes in two steps; the real one does not, so the door lets one write through at a time. The
credentials are moto's to ignore.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deployer.model.space import StoreAddress

BUCKET = "deployer-tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "of-tests", "AWS_SECRET_ACCESS_KEY": "of-tests"}
CONDITIONS = ("if-match", "if-none-match")
ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came to the door."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def is_conditional(self) -> bool:
        """Whether it is to be refused under conditions."""
        return any(name in self.headers for name in CONDITIONS)


@dataclass(frozen=True, slots=True)
class Says:
    """An error instead of an answer. `after`: what was asked is done all the same; without a status the connection
    ends without a word."""

    status: int | None
    code: str = ""
    message: str = "the door says no"
    after: bool = False
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[[Asked], Says | None]


@dataclass
class Door:
    """`fault` looks at every request and may say something instead; `deaf` drops conditions, as an endpoint does that
    does not know them; `clock` is what its answers say."""

    port: int = 0
    fault: Fault = lambda asked: None
    deaf: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time
    asked: list[Asked] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self, prefix: str) -> StoreAddress:
        """A store behind it."""
        return StoreAddress(BUCKET, prefix, self.endpoint)

    def is_open(self) -> None:
        """Let everything through again, and forget what was asked."""
        self.fault, self.deaf, self.clock, self.asked = lambda asked: None, (), time.time, []


def once(method: str, *says: Says, conditional: bool | None = None) -> Fault:
    """The first requests of this method get these words, one each."""
    left = list(says)

    def fault(asked: Asked) -> Says | None:
        fits = asked.method == method and conditional in (None, asked.is_conditional)
        return left.pop(0) if fits and left else None

    return fault


@contextmanager
def s3() -> Iterator[Door]:
    """A bucket behind a door."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    door = Door()
    try:
        with _listening(door, server.get_host_and_port()[1]), pytest.MonkeyPatch.context() as patch:
            for name, value in CREDENTIALS.items():
                patch.setenv(name, value)
            _ask(server.get_host_and_port()[1], Asked("PUT", f"/{BUCKET}", {}), b"")
            yield door
    finally:
        server.stop()


class Doorkeeper(BaseHTTPRequestHandler):
    """One request to the server behind, or what the door says instead."""

    protocol_version = "HTTP/1.1"
    door: Door
    behind: int
    one_at_a_time: threading.Lock

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        self.door.asked.append(asked)
        with self.one_at_a_time:
            says = self.door.fault(asked)
            kept = {name: value for name, value in asked.headers.items() if name not in self.door.deaf}
            if says is None:
                self._pass_on(*_ask(self.behind, Asked(asked.method, asked.path, kept), body))
                return
            if says.after:
                _ask(self.behind, Asked(asked.method, asked.path, kept), body)
        if says.status is None:
            self.close_connection = True
        else:
            text = ERROR.format(code=says.code, message=says.message)
            self._pass_on(says.status, says.headers, text.encode())

    def _pass_on(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        fixed = {"content-length": str(len(body)), "date": formatdate(self.door.clock(), usegmt=True)}
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def log_message(self, *words: Any) -> None:
        pass


@contextmanager
def _listening(door: Door, behind: int) -> Iterator[None]:
    facts = {"door": door, "behind": behind, "one_at_a_time": threading.Lock()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Keeper", (Doorkeeper,), facts))
    server.daemon_threads = True
    door.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _ask(port: int, asked: Asked, body: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(asked.method, asked.path, body, {**asked.headers, "connection": "close"})
        answer = connection.getresponse()
        kept = {name.lower(): value for name, value in answer.getheaders()}
        return (
            answer.status,
            {n: v for n, v in kept.items() if n not in ("connection", "transfer-encoding", "date")},
            answer.read(),
        )
    finally:
        connection.close()
