"""A space's specification: what it consists of in AWS, as a value. One that infra.read made is a valid one."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
class Origin:
    """What a database of its own is filled from: a `snapshot` by its name, or another `instance` of RDS as it was at a
    `time` (`2026-11-30T12:00:00Z`), at the last one that RDS can bring back where none is said."""

    snapshot: str = ""
    instance: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """An RDS instance that one add-on has to itself, named after the add-on; empty where it has no `origin`. `app` is
    whose it is, and `database` what the add-on's database is called in it: its snapshots say both."""

    addon: str
    size: str
    storage: int
    origin: Origin | None = None
    app: str = ""
    database: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """Dollars a month, and who is written to when they are nearly spent."""

    monthly: int
    email: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """The ACME directory that the space's host orders certificates from, empty for Let's Encrypt's, and whom it writes
    to."""

    server: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """One space of kind `aws`. `certificates` is who issues those of a host that has nothing before it. `ssh_from`
    are the networks from which port 22 is open; where there are none, SSH goes by an EC2 Instance Connect Endpoint.
    `network` is the VPC's, a private one.

    `databases` and `domains`, further ones than its own, are what commands on apps have added: the ledger's alone, of
    which no deployer.toml says anything."""

    region: str
    hosts: Hosts = Hosts()
    database: Database | None = None
    load_balancer: bool = False
    account: str | None = None
    domain: str | None = None
    budget: Budget | None = None
    ssh_from: tuple[str, ...] = ()
    network: str = NETWORK
    certificates: Issuer | None = None
    databases: tuple[OwnDatabase, ...] = ()
    domains: tuple[str, ...] = ()

    def keeping(self, known: Spec) -> Spec:
        """With what commands on apps have added to `known`."""
        return replace(self, databases=known.databases, domains=known.domains)

    def having(self, own: OwnDatabase) -> Spec:
        """With that database; as it is where the add-on has one."""
        return self if own.addon in self.addons else replace(self, databases=(*self.databases, own))

    def lacking(self, addon: str) -> Spec:
        """Without the database of an add-on."""
        return replace(self, databases=tuple(one for one in self.databases if one.addon != addon))

    @property
    def addons(self) -> tuple[str, ...]:
        """Those that have a database to themselves."""
        return tuple(one.addon for one in self.databases)

    @property
    def has_databases(self) -> bool:
        """Whether RDS runs anything for it."""
        return self.database is not None or bool(self.databases)

    @property
    def sizes(self) -> tuple[str, ...]:
        """Of its hosts, and of its databases."""
        shared = (self.database.size,) if self.database else ()
        return (self.hosts.size, *shared, *(one.size for one in self.databases))

    @property
    def shape(self) -> str:
        """`2 hosts, ALB, RDS, 1 database of its own`"""
        hosts = "1 host" if self.hosts.count == 1 else f"{self.hosts.count} hosts"
        own = len(self.databases)
        databases = ["RDS"] if self.database else []
        databases += ["1 database of its own" if own == 1 else f"{own} databases of their own"] if own else []
        return ", ".join([hosts, *["ALB"][: self.load_balancer], *databases])
