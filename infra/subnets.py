"""Which part of a space's network is which subnet's: public ones for hosts and load balancer, private ones for data."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice

from infra.spec import ZONES

WIDEST, NARROWEST = 16, 22  # of a network: AWS allows /16 at most; an eighth of a /22 still holds 123 hosts
PART = 3  # bits: eighths of the network
DATA_FROM = 4  # the first of the eighths that are private; those between are for more zones
RESERVED = 5  # addresses that AWS keeps of each subnet


@dataclass(frozen=True, slots=True)
class Subnet:
    """One subnet: `zone` counts the zones of the region from 0."""

    name: str
    zone: int
    network: IPv4Network
    public: bool

    @property
    def hosts(self) -> int:
        """How many addresses are free for machines."""
        return self.network.num_addresses - RESERVED


def plan(network: str) -> tuple[Subnet, ...]:
    """The subnets of a network between /16 and /22."""
    eighths = list(islice(IPv4Network(network).subnets(PART), DATA_FROM + ZONES))
    public = [Subnet(f"public-{letter}", n, eighths[n], True) for n, letter in enumerate("ab")]
    data = [Subnet(f"data-{letter}", n, eighths[DATA_FROM + n], False) for n, letter in enumerate("ab")]
    return (*public, *data)
