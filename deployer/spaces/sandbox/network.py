"""A sandbox's network: a bridge on this machine, and one namespace with a cable to it for each host.

Hosts have no route to anywhere but the bridge. Every function can be repeated: what stands already, stays.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deployer.errors.spaces import NoSubnetLeft
from deployer.spaces.sandbox.record import Machine, Record

BRIDGES_FILTERED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
CANDIDATES = tuple(f"10.{a}.{b}" for a in range(213, 217) for b in range(1, 255))


def free_prefix(wanted: int, others: Iterable[str] = ()) -> str:
    """The first three numbers of a /24 that this machine has no route into; `wanted` picks where the search begins,
    `others` are prefixes of sandboxes that may not run now."""
    return choose_prefix(wanted, [*_routes(), *(f"{prefix}.0/24" for prefix in others)])


def choose_prefix(wanted: int, routes: Iterable[str]) -> str:
    """The pure part of it. `routes` are destinations like `10.0.0.0/8`; the default route does not count."""
    taken = [ipaddress.ip_network(route, strict=False) for route in routes if route != "default"]
    start = wanted % len(CANDIDATES)
    for prefix in CANDIDATES[start:] + CANDIDATES[:start]:
        if not any(ipaddress.ip_network(f"{prefix}.0/24").overlaps(network) for network in taken):
            return prefix
    raise NoSubnetLeft


def lay(record: Record) -> list[Machine]:
    """Make the bridge, and a namespace with its cable for each host, where they are missing. The hosts whose
    namespaces are new: a machine that still runs in the old one would never be reached again."""
    if not _link_exists(record.bridge):
        _ip("link", "add", record.bridge, "address", record.hardware_address, "type", "bridge")
    _ip("addr", "replace", f"{record.gateway}/24", "dev", record.bridge)
    _ip("link", "set", record.bridge, "up")
    _let_hosts_talk(record.bridge)
    fresh = [machine for machine in record.machines if not _is_laid(record, machine)]
    for machine in fresh:
        _lay_host(record, machine)
    for machine in record.machines:
        _ip("link", "set", record.link(machine), "master", record.bridge, "up")
    return fresh


def remove(record: Record) -> None:
    """Remove all of it."""
    for machine in record.machines:
        remove_host(record, machine)
    _filter("-D", record.bridge)
    if _link_exists(record.bridge):
        _ip("link", "del", record.bridge)


def _lay_host(record: Record, machine: Machine) -> None:
    space, link = record.namespace(machine), record.link(machine)
    remove_host(record, machine)
    _ip("netns", "add", space)
    _ip("link", "add", link, "type", "veth", "peer", "name", "host0", "netns", space)
    for words in (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"{machine.address}/24", "dev", "host0"),
        ("link", "set", "host0", "up"),
    ):
        _ip("-n", space, *words)


def remove_host(record: Record, machine: Machine) -> None:
    """Remove one host's part of it."""
    if _link_exists(record.link(machine)):
        _ip("link", "del", record.link(machine))
    handle = _handle(record, machine)
    if os.path.ismount(handle):
        _ip("netns", "del", record.namespace(machine))
    handle.unlink(missing_ok=True)


def _is_laid(record: Record, machine: Machine) -> bool:
    return os.path.ismount(_handle(record, machine)) and _link_exists(record.link(machine))


def _handle(record: Record, machine: Machine) -> Path:
    """The namespace's name: a mount, or an empty file where its making was cut off."""
    return Path("/run/netns", record.namespace(machine))


def _let_hosts_talk(bridge: str) -> None:
    """Docker makes the machine's firewall see what crosses bridges, and drop it."""
    if BRIDGES_FILTERED.is_file() and BRIDGES_FILTERED.read_text().strip() != "0" and not _filter("-C", bridge):
        _filter("-I", bridge)


def _filter(action: str, bridge: str) -> bool:
    """Check, insert or delete the rule that lets hosts reach each other; whether that worked."""
    if not BRIDGES_FILTERED.is_file() or shutil.which("iptables") is None:
        return False
    words = ["iptables", "-w", action, "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _routes() -> list[str]:
    done = subprocess.run(["ip", "-json", "-4", "route"], check=True, stdout=subprocess.PIPE)
    return [route["dst"] for route in json.loads(done.stdout or b"[]")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)
