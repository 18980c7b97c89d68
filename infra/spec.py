"""A space's specification: what it consists of in AWS, as a value. One that exists is a valid one."""

from __future__ import annotations

from dataclasses import dataclass

DISK = 20  # GB of a host's root disk: the system, layers of slugs, a bounded journal, the dynos' scratch
ZONES = 2  # that a load balancer and a database want


@dataclass(frozen=True, slots=True)
class Hosts:
    """How many hosts, of which kind of EC2 instance (infra.sizes.HOSTS)."""

    size: str = "t4g.small"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Database:
    """The space's PostgreSQL: a kind of RDS instance (infra.sizes.DATABASES), and GB of storage."""

    size: str = "db.t4g.micro"
    storage: int = 20


@dataclass(frozen=True, slots=True)
class Spec:
    """One space of kind `aws`."""

    region: str
    hosts: Hosts = Hosts()
    database: Database | None = None
    load_balancer: bool = False

    @property
    def shape(self) -> str:
        """`2 hosts, ALB, RDS`"""
        hosts = "1 host" if self.hosts.count == 1 else f"{self.hosts.count} hosts"
        return ", ".join([hosts, *["ALB"][: self.load_balancer], *["RDS"][: self.database is not None]])
