"""Who listens where on this host, from the kernel's own tables."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that takes connections, and the user of the process that opened it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    uid: int

    @property
    def is_local(self) -> bool:
        """Whether only this host itself reaches it: routers of other hosts would find nobody."""
        return self.address.is_loopback

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


def listeners(proc: Path = Path("/proc")) -> list[Listener]:
    """All of this host."""
    return [found for name in ("tcp", "tcp6") for found in parse((proc / "net" / name).read_text())]


def parse(table: str) -> Iterator[Listener]:
    """The listening sockets of /proc/net/tcp or tcp6. Fields: number, local, remote, state, queues, timer,
    retransmissions, uid (proc(5))."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTEN:
            host, _, port = fields[1].partition(":")
            yield Listener(_address(host), int(port, 16), int(fields[7]))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as the kernel prints it: words of 32 bits in the machine's byte order."""
    words = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    packed = b"".join(struct.pack("=I", word) for word in words)
    return ipaddress.ip_address(packed)
