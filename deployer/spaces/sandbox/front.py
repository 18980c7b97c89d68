"""What stands before a sandbox's hosts: an HAProxy on loopback that plays the load balancer of a cloud.

It checks each host's router (`GET /-/ready`), shares requests among those that are ready, and adds the headers that a
load balancer adds. Time limits are the routers' to set: its own are long. Two never share a port, as HAProxies of one
user do by themselves: half of each one's requests would come to the other.
"""

from __future__ import annotations

import csv
import fcntl
import io
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from deployer.errors.spaces import FrontDidNotStart, PortTaken
from deployer.spaces.sandbox.process import Process
from deployer.spaces.sandbox.record import Machine, Record

ADDRESS = "127.0.0.1"
FIRST_PORT = 8080
PATIENCE = 5.0  # seconds
MOST_HOSTS = 50  # slots, filled or not: a host that comes or goes is no reload, which would cut connections
DRAIN = 30.0  # seconds that requests in flight get at a host that goes
EMPTY = "127.0.0.1:1 disabled"
CONFIG = """global
  stats socket {socket} mode 600 level admin
  noreuseport
  maxconn 4000
  user nobody
  group nogroup

defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 90s
  retries 3
  option redispatch

frontend front
  bind {address}:{port}
  option idle-close-on-response
  http-request add-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port {port}
  default_backend hosts

backend hosts
  balance roundrobin
  option httpchk
  http-check send meth GET uri /-/ready
  http-check expect status 200
  default-server check inter 500ms fall 2 rise 1
"""


def render(record: Record, socket: Path) -> str:
    """The front's configuration, with a slot for every host that there may be."""
    there = {machine.number: _content(machine) for machine in record.machines}
    slots = [_line(number, there.get(number, EMPTY)) for number in range(1, MOST_HOSTS + 1)]
    return CONFIG.format(address=ADDRESS, port=record.port, socket=socket) + "".join(slots)


def tell(admin: Path, command: str) -> str:
    """One command to an HAProxy at its admin socket, and what it says; nothing where it does not run."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(admin))
        connection.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode(errors="replace")
    return ""


def _line(number: int, content: str) -> str:
    return f"  server h{number} {content}\n"


def _content(machine: Machine) -> str:
    return f"{machine.address}:80"


def free_port(port: int | None, others: Iterable[int] = ()) -> int:
    """The port asked for, or else the first free one from 8080; PortTaken where that one is not free. `others` belong
    to sandboxes that may not run now."""
    if port is not None:
        if not _is_free(port):
            raise PortTaken(port)
        return port
    candidates = (candidate for candidate in range(FIRST_PORT, FIRST_PORT + 1000) if candidate not in others)
    return next(candidate for candidate in candidates if _is_free(candidate))


def socket_of(tag: str) -> Path:
    """Where the front of a sandbox takes commands. Not in its folder: the path may have at most 107 bytes."""
    return Path(f"/run/dpl{tag}-front.sock")


class Front:
    """The front of the sandbox in `folder`."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.record = record
        self.config = folder / "front.cfg"
        self.process = Process(folder / "front.json", folder / "front.log")
        self.socket = socket_of(record.tag)

    def start(self) -> None:
        """Start it, unless it runs already; then it learns which hosts there are, where a command was cut off."""
        if self.process.pid is not None:
            self._follow()
            return
        if not _is_free(self.record.port):
            raise PortTaken(self.record.port)
        self.config.write_text(render(self.record, self.socket))
        self.process.start(["haproxy", "-db", "-f", str(self.config)])
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it."""
        self.process.stop(PATIENCE)
        self.socket.unlink(missing_ok=True)

    def let_in(self, machine: Machine) -> None:
        """Share requests with a host from the moment on at which it says that it is ready; nothing where it is known
        already."""
        if self._knows(machine):
            return
        slot = f"hosts/h{machine.number}"
        # Taken for ready until it was asked, it would get requests at once: it has no weight until it is down.
        steps = (f"addr {machine.address} port 80", "weight 0", "state ready", "health down", "weight 1")
        self._tell("; ".join(f"set server {slot} {step}" for step in steps))
        self._note(machine, _content(machine))

    def let_go(self, machine: Machine) -> None:
        """Send a host nothing new, wait for what it is at, and forget it."""
        self._tell(f"set server hosts/h{machine.number} state drain")
        deadline = time.monotonic() + DRAIN
        while time.monotonic() < deadline and self._sessions(machine):
            time.sleep(0.1)
        self._tell(f"set server hosts/h{machine.number} state maint")
        self._note(machine, EMPTY)

    def _follow(self) -> None:
        there = {machine.number: machine for machine in self.record.machines}
        for number in range(1, MOST_HOSTS + 1):
            if number in there:
                self.let_in(there[number])
            self._tell(f"set server hosts/h{number} state {'ready' if number in there else 'maint'}")
        self.config.write_text(render(self.record, self.socket))

    def _knows(self, machine: Machine) -> bool:
        return _line(machine.number, _content(machine)) in self.config.read_text()

    def _note(self, machine: Machine, content: str) -> None:
        """What the next start begins with; of other hosts it stays what was noted."""
        with self.config.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lines = self.config.read_text().splitlines(keepends=True)
            mine = _line(machine.number, "")[:-1]
            aside = self.config.with_suffix(".new")
            aside.write_text("".join(_line(machine.number, content) if one.startswith(mine) else one for one in lines))
            aside.rename(self.config)

    def _sessions(self, machine: Machine) -> int:
        for row in csv.DictReader(io.StringIO(self._tell("show stat hosts 4 -1").removeprefix("# "))):
            if row["svname"] == f"h{machine.number}":
                return int(row["scur"] or 0)
        return 0

    def _tell(self, command: str) -> str:
        return tell(self.socket, command)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.pid is not None:
            if self._tell("show info"):  # not before it listens: and at the port somebody else may answer
                return
            time.sleep(0.01)
        if not _is_free(self.record.port):
            raise PortTaken(self.record.port)
        raise FrontDidNotStart(self.record.port, self.process.end_of_log())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True
