"""The box's folder and network: a bridge on this machine that is the whole VPC, and a namespace with a cable to it for
each instance. Hosts have no route to anywhere else.

What is made is noted first, in the form of a sandbox: the next run sweeps what a killed one left.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path

from deployer.build import platform_image
from deployer.model.events import Event
from deployer.model.platforms import Platform, this_architecture
from deployer.spaces.sandbox import network, record
from deployer.spaces.sandbox.record import Machine, Record
from tests.hosts.sweep import alone, destroy, new_folder

NARROWEST = 22  # the smallest network that a space takes (infra.subnets); one for each candidate
CANDIDATES = tuple(IPv4Network((f"10.{a}.{b}.0", NARROWEST)) for a in range(217, 225) for b in range(0, 256, 4))


@dataclass
class Ground:
    """`folder` holds the hosts. The `gateway` is this machine's address in the `network`."""

    folder: Path
    network: IPv4Network
    record: Record
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def number(self) -> int:
        """Of the box, below 255: there is none other of it on this machine."""
        return CANDIDATES.index(self.network) % 254 + 1

    @property
    def gateway(self) -> str:
        return self.record.gateway

    @property
    def resolver(self) -> str:
        """Where hosts ask for names: the address after the router's, as in every VPC."""
        return str(self.network.network_address + 2)

    def add(self, machine: Machine) -> None:
        """Lay the cable of one more machine."""
        with self.lock:
            self._become(replace(self.record, machines=(*self.record.machines, machine)))
            network.lay(self.record)
            ip("-n", self.record.namespace(machine), "route", "replace", str(self.network), "dev", "host0")

    def remove(self, machine: Machine) -> None:
        """Take a machine's cable and disk away."""
        with self.lock:
            network.remove_host(self.record, machine)
            shutil.rmtree(self.folder / "hosts" / machine.name)
            self._become(replace(self.record, machines=tuple(one for one in self.record.machines if one != machine)))

    def lend(self, address: str) -> None:
        """This machine answers at one more address of the network: that of a load balancer, or of an endpoint."""
        ip("addr", "replace", f"{address}/32", "dev", self.record.bridge)

    def take_back(self, address: str) -> None:
        ip("addr", "del", f"{address}/32", "dev", self.record.bridge)

    def lay(self) -> None:
        """The bridge, without machines. All of the network lies behind it, not just the /24 that a sandbox has."""
        network.lay(self.record)
        ip("route", "replace", str(self.network), "dev", self.record.bridge, "src", self.gateway)

    def _become(self, record_: Record) -> None:
        record.save(self.folder, record_)
        self.record = record_


@contextmanager
def ground(name: str) -> Iterator[Ground]:
    """A network that is free on this machine, and a folder; nothing of both is left at the end."""
    image = platform_image.ensure(Platform("debian-13", this_architecture()), "host", _ignore)
    with new_folder() as root:
        folder = root / "data/sandbox" / name
        folder.mkdir(parents=True)
        try:
            with alone():
                platform_image.hold(image, folder)
                free = free_network(_routes())
                prefix = str(free.network_address).rpartition(".")[0]
                made = Ground(folder, free, Record(name, "debian-13", str(image), 0, prefix, record.tag_of(folder), ()))
                record.save(folder, made.record)
                made.lay()
            yield made
        finally:
            destroy(root)


def free_network(routes: list[str]) -> IPv4Network:
    """The first candidate that none of these destinations overlaps; the default route does not count."""
    taken = [ipaddress.ip_network(route, strict=False) for route in routes if route != "default"]
    return next(one for one in CANDIDATES if not any(one.overlaps(other) for other in taken))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)


def _routes() -> list[str]:
    done = subprocess.run(["ip", "-json", "-4", "route"], check=True, stdout=subprocess.PIPE)
    return [route["dst"] for route in json.loads(done.stdout or b"[]")]


def _ignore(event: Event) -> None:
    """A `tell` that hears nothing."""
