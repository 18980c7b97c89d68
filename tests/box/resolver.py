"""The resolver of the box's network, at the address after the router's as in every VPC: hosts ask it for names, and
nobody else does. It knows what it was told, and says of every other name that there is none."""

from __future__ import annotations

import ipaddress
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.box.ground import Ground

PORT = 53
TTL = 1  # seconds: what changes is seen at once
A, IN = 1, 1
ANSWERS, NO_SUCH_NAME = 0x8580, 0x8583  # an answer that is this server's own word; the same, with NXDOMAIN


@dataclass
class Resolver:
    """`names` are addresses by name, without the last dot, in small letters."""

    ground: Ground
    names: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Resolver:
        self.ground.lend(self.ground.resolver)
        self._answering = answering((self.ground.resolver, PORT), self.names)
        self._answering.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._answering.__exit__(None, None, None)


@contextmanager
def answering(address: tuple[str, int], names: dict[str, str]) -> Iterator[None]:
    """Answer for these names at an address, over UDP and TCP."""
    servers = (_Server(address, _Handler), _Stream(address, _Answering))
    for server in servers:
        server.names = names
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def answer(question: bytes, names: dict[str, str]) -> bytes:
    """What is answered to a message with one question (RFC 1035): the address, where that is what was asked for."""
    name, end = _name(question)
    kind, of = struct.unpack_from("!HH", question, end)
    found = names.get(name.lower()) or _in_itself(name.lower())
    address = found if (kind, of) == (A, IN) else None
    flags = ANSWERS if found else NO_SUCH_NAME
    head = question[:2] + struct.pack("!HHHHH", flags, 1, bool(address), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, A, IN, TTL, 4) + ipaddress.IPv4Address(address).packed if address else b""
    return head + question[12 : end + 4] + record


def _in_itself(name: str) -> str | None:
    """The address in a name like shop.203-0-113-7.sslip.io, as the real service answers."""
    parts = name.removesuffix(".sslip.io").rpartition(".")[2].split("-")
    if name.endswith(".sslip.io") and len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
        return ".".join(parts)
    return None


def _name(question: bytes) -> tuple[str, int]:
    """The name that is asked for, and where it ends."""
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels), at + 1


class _Server(socketserver.UDPServer):
    allow_reuse_address = True
    names: dict[str, str]


class _Stream(socketserver.ThreadingTCPServer):
    """The same over TCP, which pebble asks by."""

    allow_reuse_address = True
    daemon_threads = True
    names: dict[str, str]


class _Answering(socketserver.StreamRequestHandler):
    server: _Stream

    def handle(self) -> None:
        while size := self.rfile.read(2):
            said = answer(self.rfile.read(int.from_bytes(size, "big")), self.server.names)
            self.wfile.write(len(said).to_bytes(2, "big") + said)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        question, asked_at = self.request
        asked_at.sendto(answer(question, self.server.names), self.client_address)
