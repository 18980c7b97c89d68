"""Who listens where on this host, from the kernel's own tables."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ESTABLISHED, SYN_RECV, CLOSE_WAIT, LISTEN = "01", "03", "08", "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that takes connections, and the user of the process that opened it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    uid: int
    inode: int

    @property
    def is_local(self) -> bool:
        """Whether only this host itself reaches it: routers of other hosts would find nobody."""
        return self.address.is_loopback

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


def listeners(proc: Path = Path("/proc")) -> list[Listener]:
    """All of this host."""
    return [found for name in ("tcp", "tcp6") for found in parse((proc / "net" / name).read_text())]


def takes_connections(port: int) -> bool:
    """Whether anybody on this host takes one, at 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)  # seconds: a full queue says nothing at all
        return probe.connect_ex(("127.0.0.1", port)) == 0


def of_unit(unit: str, proc: Path = Path("/proc")) -> list[Listener]:
    """Those that a process of one unit holds; slow, for messages only."""
    held = {inode for process in proc.glob("[0-9]*") if _is_of(process, unit) for inode in _inodes(process)}
    return sorted((one for one in listeners(proc) if one.inode in held), key=lambda one: one.port)


def parse(table: str) -> Iterator[Listener]:
    """The listening sockets of /proc/net/tcp or tcp6. Fields: number, local, remote, state, queues, timer,
    retransmissions, uid, timeout, inode (proc(5))."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTEN:
            host, _, port = fields[1].partition(":")
            yield Listener(_address(host), int(port, 16), int(fields[7]), int(fields[9]))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as the kernel prints it: words of 32 bits in the machine's byte order."""
    words = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    packed = b"".join(struct.pack("=I", word) for word in words)
    return ipaddress.ip_address(packed)


def established(table: str) -> Iterator[int]:
    """The local ports of the connections in /proc/net/tcp or tcp6 over which a request may still run: established or
    about to be, or closed by the other side alone."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] in (ESTABLISHED, SYN_RECV, CLOSE_WAIT):
            yield int(fields[1].partition(":")[2], 16)


def connections(port: int, proc: Path = Path("/proc")) -> int:
    """How many connections a listener on this port has, from whatever router. Each is a request or a websocket: routers
    keep no idle ones."""
    tables = ((proc / "net" / name).read_text() for name in ("tcp", "tcp6"))
    return sum(found == port for table in tables for found in established(table))


def _is_of(process: Path, unit: str) -> bool:
    """Whether the process is in the unit's control group, whichever hierarchy the host has."""
    with suppress(OSError):
        return any(line.split("/")[-1] == unit for line in (process / "cgroup").read_text().splitlines())
    return False


def _inodes(process: Path) -> Iterator[int]:
    for link in (process / "fd").glob("*"):
        with suppress(OSError):
            target = str(link.readlink())
            if target.startswith("socket:["):
                yield int(target[8:-1])
