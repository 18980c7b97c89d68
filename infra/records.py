"""Which records of DNS the program makes for a further domain, where Route 53 has its zone in the account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Records:
    """Those of one domain: what proves it, and, if it `leads`, what leads it to the load balancer: not where somebody
    else has made a record of that name. `zone` is the id of Route 53's zone. `there`: one that leads to the load
    balancer is there already, and is taken over."""

    domain: str
    zone: str
    leads: bool = True
    there: bool = False
