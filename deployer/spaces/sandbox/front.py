"""What stands before a sandbox's hosts: an HAProxy on loopback that plays the load balancer of a cloud.

It checks each host's router (`GET /-/ready`), shares requests among those that are ready, and adds the headers that a
load balancer adds. Time limits are the routers' to set: its own are long.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from deployer.errors.spaces import FrontDidNotStart, PortTaken
from deployer.spaces.sandbox.process import Process
from deployer.spaces.sandbox.record import Record

ADDRESS = "127.0.0.1"
FIRST_PORT = 8080
PATIENCE = 5.0  # seconds
CONFIG = """global
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


def render(record: Record) -> str:
    """The front's configuration."""
    servers = [f"  server {machine.name} {machine.address}:80\n" for machine in record.machines]
    return CONFIG.format(address=ADDRESS, port=record.port) + "".join(servers)


def free_port(port: int | None, others: Iterable[int] = ()) -> int:
    """The port asked for, or else the first free one from 8080; PortTaken where that one is not free. `others` belong
    to sandboxes that may not run now."""
    if port is not None:
        if not _is_free(port):
            raise PortTaken(port)
        return port
    candidates = (candidate for candidate in range(FIRST_PORT, FIRST_PORT + 1000) if candidate not in others)
    return next(candidate for candidate in candidates if _is_free(candidate))


class Front:
    """The front of the sandbox in `folder`."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.record = record
        self.config = folder / "front.cfg"
        self.process = Process(folder / "front.json", folder / "front.log")

    def start(self) -> None:
        """Start it, unless it runs already."""
        if self.process.pid is not None:
            return
        if not _is_free(self.record.port):
            raise PortTaken(self.record.port)
        self.config.write_text(render(self.record))
        self.process.start(["haproxy", "-db", "-f", str(self.config)])
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it."""
        self.process.stop(PATIENCE)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.pid is not None:
            with suppress(OSError), socket.create_connection((ADDRESS, self.record.port), timeout=1):
                return
            time.sleep(0.01)
        raise FrontDidNotStart(self.record.port, self.process.end_of_log())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True
