"""What a specification costs in a month, line by line: a specification says the quantities, a table the prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from infra.prices import Price, Table
from infra.spec import DISK, ZONES, OwnDatabase, Spec

HOURS = 730  # of a month, as AWS reckons
CENT = Decimal("0.01")
ASKED_EVERY = 10  # seconds: each host asks the store what it should run


@dataclass(frozen=True, slots=True)
class Usage:
    """What depends on traffic, for a small site. GB a month, and capacity units of the load balancer on average: one
    takes 25 new connections a second or 1 GB an hour."""

    data_out: int = 20
    store: int = 5
    between_zones: int = 5
    capacity_units: Decimal = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is paid for. `key` is its price's; `quantity` is in `unit`s a month."""

    noun: str
    what: str
    key: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """An item and its price, where that is known."""

    item: Item
    price: Price | None

    @property
    def amount(self) -> Decimal | None:
        """US dollars a month, in whole cents; None where it is unknown."""
        return None if self.price is None else (self.price.usd * self.item.quantity).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Bill:
    """All lines."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the amounts that are known."""
        return sum((line.amount for line in self.lines if line.amount is not None), Decimal("0.00"))

    @property
    def unknown(self) -> int:
        """How many lines have no price."""
        return sum(line.price is None for line in self.lines)


def bill(spec: Spec, table: Table, usage: Usage = Usage()) -> Bill:
    """The specification's bill."""
    return priced(items(spec, usage), table, spec.region)


def priced(found: Iterable[Item], table: Table, region: str) -> Bill:
    """Items with their prices in a region."""
    return Bill(tuple(Line(item, table.find(region, item.key)) for item in found))


def items(spec: Spec, usage: Usage) -> tuple[Item, ...]:
    """What is paid for. Free, and so not here: the network, security groups, roles, certificates, the endpoint for SSH,
    two budgets, backups up to the database's size, 100 GB of data out a month."""
    return (
        *_hosts(spec),
        *(_load_balancer(usage) if spec.load_balancer else ()),
        *(_database(spec.database.size, spec.database.storage) if spec.database else ()),
        *(item for one in spec.databases for item in _own_database(one)),
        *_store(spec, usage),
        *(_between_zones(usage) if spec.has_databases or spec.hosts.count > 1 else ()),
    )


def _hosts(spec: Spec) -> Iterable[Item]:
    size, count = spec.hosts.size, spec.hosts.count
    yield _hourly("hosts", f"Hosts: {size}", f"ec2/{size}", count)
    yield _monthly("hosts", f"Their disks, {DISK} GB each", "ebs/gp3", DISK * count, "GB")
    yield _hourly("hosts", "Their public IPv4 addresses", "ipv4", count)


def _load_balancer(usage: Usage) -> Iterable[Item]:
    yield _hourly("load balancer", "Load balancer (ALB)", "alb", 1)
    units = Decimal(HOURS) * usage.capacity_units
    yield Item("load balancer", "Its capacity units, for traffic", "alb/lcu", units, "LCU-hours")
    yield _hourly("load balancer", f"Its public IPv4 addresses, {ZONES} zones", "ipv4", ZONES)


def _database(size: str, storage: int) -> Iterable[Item]:
    yield _hourly("database", f"PostgreSQL (RDS): {size}", f"rds/{size}", 1)
    yield _monthly("database", f"Its storage, {storage} GB", "rds/storage", storage, "GB")
    yield _monthly("database", "Its password in Secrets Manager", "secret", 1, "secret")


def _own_database(one: OwnDatabase) -> Iterable[Item]:
    yield _hourly("database", f"{one.addon} (RDS): {one.size}", f"rds/{one.size}", 1)
    yield _monthly("database", f"{one.addon}, its storage, {one.storage} GB", "rds/storage", one.storage, "GB")
    yield _monthly("database", f"{one.addon}, its password", "secret", 1, "secret")


def _store(spec: Spec, usage: Usage) -> Iterable[Item]:
    asked = Decimal(HOURS * 3600 // ASKED_EVERY * spec.hosts.count) / 1000
    yield _monthly("store", f"Store (S3), {usage.store} GB", "s3/storage", usage.store, "GB")
    yield Item("store", "Its requests, by the hosts", "s3/get", asked, "thousand requests")


def _between_zones(usage: Usage) -> Iterable[Item]:
    both_ways = 2 * usage.between_zones
    yield _monthly("network", "Traffic between zones", "between-zones", both_ways, "GB")


def _hourly(noun: str, what: str, key: str, count: int) -> Item:
    return Item(noun, what, key, Decimal(HOURS) * count, "hours")


def _monthly(noun: str, what: str, key: str, quantity: int, unit: str) -> Item:
    return Item(noun, what, key, Decimal(quantity), unit)
