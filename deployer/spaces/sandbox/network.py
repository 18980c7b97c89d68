"""A sandbox's network: a bridge on this machine, and one namespace with a cable to it for each host.

Hosts have no route to anywhere but the bridge. Every function can be repeated: what stands already, stays.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deployer.errors.spaces import NoSubnetLeft
from deployer.spaces.sandbox.record import Machine, Record

CANDIDATES = tuple(f"10.{a}.{b}" for a in range(213, 217) for b in range(1, 255))


def free_prefix(wanted: int) -> str:
    """The first three numbers of a /24 that this machine has no route into; `wanted` picks where the search begins."""
    return choose_prefix(wanted, _routes())


def choose_prefix(wanted: int, routes: Iterable[str]) -> str:
    """The pure part of it. `routes` are destinations like `10.0.0.0/8`; the default route does not count."""
    taken = [ipaddress.ip_network(route, strict=False) for route in routes if route != "default"]
    start = wanted % len(CANDIDATES)
    for prefix in CANDIDATES[start:] + CANDIDATES[:start]:
        if not any(ipaddress.ip_network(f"{prefix}.0/24").overlaps(network) for network in taken):
            return prefix
    raise NoSubnetLeft


def lay(record: Record) -> None:
    """Make the bridge, and a namespace with its cable for each host, where they are missing."""
    if not _link_exists(record.bridge):
        _ip("link", "add", record.bridge, "type", "bridge")
        _ip("addr", "add", f"{record.gateway}/24", "dev", record.bridge)
    _ip("link", "set", record.bridge, "up")
    for machine in record.machines:
        if not _namespace(record, machine).exists():
            _lay_host(record, machine)


def remove(record: Record) -> None:
    """Remove all of it."""
    for machine in record.machines:
        if _link_exists(record.link(machine)):
            _ip("link", "del", record.link(machine))
        if _namespace(record, machine).exists():
            _ip("netns", "del", record.namespace(machine))
    if _link_exists(record.bridge):
        _ip("link", "del", record.bridge)


def _lay_host(record: Record, machine: Machine) -> None:
    space, link = record.namespace(machine), record.link(machine)
    if _link_exists(link):
        _ip("link", "del", link)
    _ip("netns", "add", space)
    _ip("link", "add", link, "type", "veth", "peer", "name", "host0", "netns", space)
    _ip("link", "set", link, "master", record.bridge, "up")
    for words in (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"{machine.address}/24", "dev", "host0"),
        ("link", "set", "host0", "up"),
    ):
        _ip("-n", space, *words)


def _namespace(record: Record, machine: Machine) -> Path:
    return Path("/run/netns", record.namespace(machine))


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _routes() -> list[str]:
    done = subprocess.run(["ip", "-json", "-4", "route"], check=True, stdout=subprocess.PIPE)
    return [route["dst"] for route in json.loads(done.stdout or b"[]")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)
