"""Three sizes of a space that a formation fits into: for those who have not written down what they want."""

from __future__ import annotations

from deployer.model.formation import SIZES, Formation
from infra.sizes import HOSTS
from infra.spec import Database, Hosts, Spec

LADDER = ("t4g.small", "t4g.medium", "t4g.large", "t4g.xlarge", "t4g.2xlarge", "m7g.4xlarge", "r7g.4xlarge")
RESERVE = 512  # MiB of a host for the system, the router and the journal


def shapes(formation: Formation, region: str) -> tuple[Spec, Spec, Spec]:
    """One host; the same with a database; two hosts behind a load balancer with a database. What does not fit on the
    largest host takes more hosts."""
    one = hosts_for(formation)
    spread = one.count > 1
    two = Hosts(one.size, max(2, one.count))
    return (
        Spec(region, one, load_balancer=spread),
        Spec(region, one, Database(), load_balancer=spread),
        Spec(region, two, Database(), load_balancer=True),
    )


def hosts_for(formation: Formation) -> Hosts:
    """The smallest size of which one host holds all dynos; else as many of the largest as hold them."""
    dynos = [SIZES[one.size.lower()].memory for one in formation.values() for _ in range(one.quantity)]
    for size in LADDER:
        if sum(dynos) <= room(size):
            return Hosts(size, 1)
    return Hosts(LADDER[-1], _hosts_needed(dynos, room(LADDER[-1])))


def room(size: str) -> int:
    """MiB that dynos may use on one host."""
    return HOSTS[size].memory - RESERVE


def _hosts_needed(dynos: list[int], each: int) -> int:
    """How many hosts of `each` MiB hold the dynos, the largest placed first."""
    free: list[int] = []
    for memory in sorted(dynos, reverse=True):
        at = next((n for n, left in enumerate(free) if left >= memory), None)
        if at is None:
            free.append(each)
            at = len(free) - 1
        free[at] -= memory
    return len(free)
