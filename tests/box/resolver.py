"""The resolver of the box's network, at the address after the router's as in every VPC: hosts ask it for names, and
nobody else does. It knows what it was told, and says of every other name that there is none."""

from __future__ import annotations

import ipaddress
import socketserver
import struct
import threading
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
        self._server = _Server((self.ground.resolver, PORT), _Handler)
        self._server.names = self.names
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(question: bytes, names: dict[str, str]) -> bytes:
    """What is answered to a message with one question (RFC 1035): the address, where that is what was asked for."""
    name, end = _name(question)
    kind, of = struct.unpack_from("!HH", question, end)
    found = names.get(name.lower())
    address = found if (kind, of) == (A, IN) else None
    flags = ANSWERS if found else NO_SUCH_NAME
    head = question[:2] + struct.pack("!HHHHH", flags, 1, bool(address), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, A, IN, TTL, 4) + ipaddress.IPv4Address(address).packed if address else b""
    return head + question[12 : end + 4] + record


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


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        question, asked_at = self.request
        asked_at.sendto(answer(question, self.server.names), self.client_address)
