"""What stands before the hosts, as a value, and HAProxy's configuration of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SLOTS = 24  # targets of a group, there or not: one that comes or goes is no reload
GLOBAL = """\
global
  stats socket {socket} mode 600 level admin expose-fd listeners
  maxconn 2000
  hard-stop-after 1h
  noreuseport
  user nobody
  group nogroup

defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  retries 1
"""


@dataclass(frozen=True)
class Forward:
    """A public address that leads to an instance, at some ports."""

    public: str
    private: str
    ports: tuple[int, ...] = (80, 443)


@dataclass(frozen=True)
class Listener:
    """`target` is a target group's id, or empty where it redirects `to` a place with a `code`. `certificate` is a file
    of HAProxy's; None for HTTP."""

    port: int
    target: str = ""
    to: str = ""
    code: int = 0
    certificate: Path | None = None


@dataclass(frozen=True)
class Balancer:
    """It answers at a loopback `address`, and comes to hosts from `source`, its own in the network."""

    name: str
    address: str
    source: str
    listeners: tuple[Listener, ...]


@dataclass(frozen=True)
class Targets:
    """A target group: how its health checks ask. `interval` is in milliseconds; `matcher` as AWS has it: `200-299`."""

    id: str
    path: str
    interval: int
    timeout: int
    rise: int
    fall: int
    matcher: str = "200"


@dataclass(frozen=True)
class Front:
    """All of it."""

    forwards: tuple[Forward, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    targets: tuple[Targets, ...] = ()


def render(front: Front, socket: Path, filled: Mapping[str, Mapping[int, str]] | None = None) -> str:
    """HAProxy's configuration. `filled` are the addresses, with ports, in slots of each target group that are ready;
    others are empty."""
    sources = {one.target: balancer.source for balancer in front.balancers for one in balancer.listeners if one.target}
    parts = [
        GLOBAL.format(socket=socket),
        *(_forward(one, port) for one in front.forwards for port in one.ports),
        *(_listener(balancer, one) for balancer in front.balancers for one in balancer.listeners),
        *(_targets(one, sources[one.id], (filled or {}).get(one.id, {})) for one in front.targets if one.id in sources),
    ]
    return "\n".join(parts)


def _forward(one: Forward, port: int) -> str:
    return f"""\
listen forward-{one.public}-{port}
  mode tcp
  bind {one.public}:{port}
  timeout client 1h
  timeout server 1h
  server host {one.private}:{port}
"""


def _listener(balancer: Balancer, one: Listener) -> str:
    tls = f" ssl crt {one.certificate}" if one.certificate else ""
    scheme = "https" if one.certificate else "http"
    action = f"use_backend {one.target}" if one.target else f"http-request redirect location {one.to} code {one.code}"
    return f"""\
frontend {balancer.name}-{one.port}
  bind {balancer.address}:{one.port}{tls}
  option idle-close-on-response
  http-request add-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto {scheme}
  http-request set-header X-Forwarded-Port {one.port}
  {action}
"""


def _targets(one: Targets, source: str, filled: Mapping[int, str]) -> str:
    slots = (f"  server s{n} {filled.get(n, '127.0.0.1:1 disabled')}\n" for n in range(1, SLOTS + 1))
    return f"""\
backend {one.id}
  balance roundrobin
  source {source}
  option httpchk
  http-check send meth GET uri {one.path} hdr User-Agent ELB-HealthChecker/2.0
  http-check expect status {one.matcher}
  timeout check {one.timeout}ms
  default-server check inter {one.interval}ms rise {one.rise} fall {one.fall}
{"".join(slots)}"""
