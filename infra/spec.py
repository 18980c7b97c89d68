"""A space's specification: what it consists of in AWS, as a value. One that infra.read made is a valid one."""

from __future__ import annotations

from dataclasses import dataclass

DISK = 20  # GB of a host's root disk: the system, layers of slugs, a bounded journal, the dynos' scratch
ZONES = 2  # that a load balancer and a database want
NETWORK = "10.64.0.0/16"  # seldom anybody else's, should the VPC ever be peered with another


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
class Budget:
    """Dollars a month, and who is written to when they are nearly spent."""

    monthly: int
    email: str


@dataclass(frozen=True, slots=True)
class Spec:
    """One space of kind `aws`. `ssh_from` are the networks from which port 22 is open; where there are none, SSH goes
    through an EC2 Instance Connect Endpoint. `network` is the VPC's, a private one."""

    region: str
    hosts: Hosts = Hosts()
    database: Database | None = None
    load_balancer: bool = False
    account: str | None = None
    domain: str | None = None
    budget: Budget | None = None
    ssh_from: tuple[str, ...] = ()
    network: str = NETWORK

    @property
    def sizes(self) -> tuple[str, ...]:
        """Of its hosts, and of its database."""
        return (self.hosts.size, self.database.size) if self.database else (self.hosts.size,)

    @property
    def shape(self) -> str:
        """`2 hosts, ALB, RDS`"""
        hosts = "1 host" if self.hosts.count == 1 else f"{self.hosts.count} hosts"
        return ", ".join([hosts, *["ALB"][: self.load_balancer], *["RDS"][: self.database is not None]])
