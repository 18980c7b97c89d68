"""What a router's configuration depends on, and which routes it takes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host.hold_lua import BOOT_DEADLINE
from deployer.model.names import is_app_name
from deployer.model.roll import Roll
from deployer.model.routes import Routes, Server

# Loopback and private networks: where load balancers stand, and where a router's real clients do not.
PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
INTENTS = ("none", "running", "maint", "crashed")
DOMAIN = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*")
SLOT = re.compile(r"web\.[1-9][0-9]{0,2}")
MOST_CONNECTIONS = 4000  # of all apps
CHALLENGE_PORT = 403  # on loopback: certbot, while it orders. Below 1024: no dyno can take it
ROUTER = "router"  # its own key in state.map, with `ready` or `joining`; no app has it, backends begin with be_


@dataclass(frozen=True, slots=True)
class Settings:
    """What a router's configuration depends on besides routes. Times in seconds; `version` is HAProxy's. `secure_bind`
    is where the router itself ends TLS, empty where it does not; `secure` are the names (`*.NAME` for all below one)
    for which whoever ends it has a certificate."""

    folder: Path = Path("/etc/haproxy")
    run: Path = Path("/run/haproxy")
    bind: str = ":80"
    secure_bind: str = ""
    log: str = "/dev/log len 20000 local0"
    user: str | None = "haproxy"
    version: tuple[int, int] = (3, 0)
    fronts: tuple[str, ...] = PRIVATE
    first_byte: int = 30
    idle: int = 55
    boot: int = BOOT_DEADLINE
    ready: bool = True
    crashed: Path = Path("/run/deployer/crashed")
    per_app: int = MOST_CONNECTIONS // 2  # requests and websockets of one app: no app takes the router from all others
    roll: Roll = field(default_factory=Roll)
    peer_port: int = 80
    secure: tuple[str, ...] = ()
    challenge_port: int = CHALLENGE_PORT


def backend(app: str) -> str:
    """The name of an app's backend: what the router's log lines carry as `be=`."""
    return f"be_{app}"


def check(routes: Routes) -> None:
    """Raise `bad-routes` for routes that could break the configuration or somebody else's part of it."""
    slots = [server.slot for server in routes.servers]
    problems = [f"{routes.app!r} is no app's name"] if not is_app_name(routes.app) else []
    problems += [f"{name!r} is no domain" for name in routes.domains if not DOMAIN.fullmatch(name)]
    problems += [f"{routes.intent!r} is no intent"] if routes.intent not in INTENTS else []
    problems += [f"{slot!r} is no slot" for slot in slots if not SLOT.fullmatch(slot)]
    problems += ["a slot stands there twice"] if len(set(slots)) < len(slots) else []
    problems += [why for server in routes.servers if (why := _address_problem(server))]
    if problems:
        raise HostFailure("bad-routes", {"app": routes.app, "reason": "; ".join(problems)})


def _address_problem(server: Server) -> str | None:
    try:
        ipaddress.ip_address(server.address)
    except ValueError:
        return f"{server.address!r} is no address"
    return None if 0 < server.port < 65536 else f"{server.port} is no port"
