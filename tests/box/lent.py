"""Addresses in the network that this machine answers at: those of load balancers, and of endpoints of Instance Connect.
What comes from there is known by its address, as in a VPC: rules of security groups may name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.box.ground import Ground
from tests.box.scaling import backends
from tests.infra.standin.walls import ABOUT


@dataclass
class Lent:
    """`addresses` by the ARN of a load balancer, or the id of an endpoint's network interface."""

    ground: Ground
    addresses: dict[str, str] = field(default_factory=dict)

    def follow(self) -> None:
        """One for each that is new; those of what is gone are taken back."""
        there = dict(_borrowers())
        for name in [one for one in self.addresses if one not in there]:
            self.ground.take_back(self.addresses.pop(name))
        for name, (thing, subnet) in there.items():
            if name not in self.addresses:
                address = subnet.get_available_subnet_ip(thing)
                self.ground.lend(address)
                self.addresses[name] = address
                thing.private_ip_address = address  # moto gives an interface a random one, perhaps an instance's


def _borrowers() -> Iterator[tuple[str, tuple[Any, Any]]]:
    for backend in backends("ec2"):
        yield from ((one.id, (one, one.subnet)) for one in list(backend.enis.values()) if one.description == ABOUT)
    for backend in backends("elbv2"):
        yield from ((one.arn, (one, one.subnets[0])) for one in list(backend.load_balancers.values()))
