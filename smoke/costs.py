"""What a run may cost at most, reckoned before anything is made; and whether that is below its cap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal

from infra.bill import CENT, HOURS, Bill, Line, bill
from infra.prices import Table
from infra.spec import Spec

CAP = Decimal(3)  # dollars
DURATION = 3  # hours
LONGEST = 12  # hours


class TooDear(Exception):
    """The run is not begun; says why, and what to type."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars: of each rung for an hour, of all for the hours that the run may take, and for an hour of what stays when
    AWS has ended the hosts and stopped the database."""

    hourly: tuple[Decimal, ...]
    most: Decimal
    after: Decimal


def checked(specs: Sequence[Spec], table: Table, hours: int, cap: Decimal) -> Cost:
    """The cost, as if the dearest of the specifications stood there for all the hours, with the one host more that a
    group has while one is replaced. TooDear where it is above the cap, or a price is not known."""
    bills = [bill(replace(one, hosts=replace(one.hosts, count=one.hosts.count + 1)), table) for one in specs]
    _refuse_unknown(bills, [one.region for one in specs])
    hourly = tuple(one.total / HOURS for one in bills)
    most = (max(hourly) * hours).quantize(CENT, ROUND_UP)
    if most > cap:
        raise TooDear(f"It may cost ${most} in {hours} h, and the cap is ${cap}: --cap raises it, --hours shortens it.")
    return Cost(hourly, most, max(map(_after, bills)))


def _after(found: Bill) -> Decimal:
    """Addresses count for all hosts, though only that of a host without a load balancer stays."""
    stays = [line.amount for line in found.lines if line.item.key == "ipv4" or not _ends(line)]
    return sum(filter(None, stays), Decimal(0)) / HOURS


def _ends(line: Line) -> bool:
    return line.item.noun == "hosts" or line.item.key.startswith("rds/db.")


def _refuse_unknown(bills: Iterable[Bill], regions: Iterable[str]) -> None:
    unknown = dict.fromkeys(line.item.what for one in bills for line in one.lines if line.price is None)
    if unknown:
        region = next(iter(regions))
        told = f"Some prices of {region} are not known: {'; '.join(unknown)}."
        raise TooDear(f"{told}\nType `deployer prices:update --region {region}`, which reads them from AWS.")
