"""What a specification consists of in AWS, thing by thing: a value that can be shown without an account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infra.kinds import DATABASE
from infra.names import name, own_database
from infra.sizes import HOSTS
from infra.spec import DISK, Spec
from infra.subnets import plan

SYSTEM = "Debian 13"
IMAGES = "/aws/service/debian/release/13/latest/{architecture}"  # public SSM parameters that Debian keeps
MAJOR = 17  # of PostgreSQL, for a new space


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing: the noun that it belongs to, what AWS calls its kind, its own name where it has one, and what about it
    is worth knowing. `when` it is made, if not at once and in any case."""

    noun: str
    kind: str
    name: str = ""
    about: str = ""
    when: str = ""

    def __str__(self) -> str:
        about = ", ".join(filter(None, (self.about, self.when)))
        return " ".join(filter(None, (self.kind, self.name, f"({about})" if about else "")))


def resources(space: str, spec: Spec, has_zone: bool | None = None) -> tuple[Resource, ...]:
    """All of a space's, by noun, in the order in which they are made. `has_zone`: whether Route 53 has the domain's
    zone in the account, None where nobody has looked."""
    return (
        *_network(spec),
        *_access(space, spec),
        *_store(space),
        *_hosts(space, spec),
        *(_load_balancer(space, spec) if spec.load_balancer else _address()),
        *(_domain(spec, has_zone) if spec.domain and has_zone is not False else ()),
        *(_databases(space, spec) if spec.has_databases else ()),
        *_budget(space, spec),
    )


def _network(spec: Spec) -> Iterable[Resource]:
    yield Resource("network", "VPC", about=spec.network)
    yield Resource("network", "internet gateway")
    yield Resource("network", "route table", about="public; there is no NAT gateway")
    for subnet in plan(spec.network):
        if subnet.public or spec.has_databases:
            yield Resource("network", "subnet", subnet.name, str(subnet.network))
    yield Resource("network", "S3 gateway endpoint")


def _access(space: str, spec: Spec) -> Iterable[Resource]:
    if spec.ssh_from:
        yield Resource("access", "security group rule", about=f"SSH from {', '.join(spec.ssh_from)}")
    else:
        yield Resource("access", "EC2 Instance Connect Endpoint", about="SSH without an open port")
        yield Resource("access", "security group", name(space, "security-group", "access"))


def _store(space: str) -> Iterable[Resource]:
    bucket = "private, encrypted, TLS only"
    yield Resource("store", "S3 bucket", name(space, "bucket", "store"), f"{bucket}; hosts read and report there")
    yield Resource("store", "S3 bucket", name(space, "bucket", "state"), f"{bucket}, versioned; for people only")
    yield Resource("store", "SSM parameter", f"/deployer/{space}/state", "says where the state lies")
    yield Resource("store", "SSM parameter", f"/deployer/{space}/passphrase", "encrypts it")


def _hosts(space: str, spec: Spec) -> Iterable[Resource]:
    hosts = spec.hosts
    about = f"{SYSTEM}, {HOSTS[hosts.size].architecture}, {hosts.size}, {DISK} GB encrypted, IMDSv2"
    yield Resource("hosts", "security group", name(space, "security-group", "hosts"))
    yield Resource("hosts", "role", name(space, "role", "host"), "with its instance profile")
    yield Resource("hosts", "launch template", name(space, "launch-template", "host"), about)
    sizes = f"{hosts.count} wanted, {hosts.count + 1} at most while one is replaced"
    yield Resource("hosts", "Auto Scaling group", name(space, "group", "hosts"), sizes)


def _address() -> Iterable[Resource]:
    yield Resource("hosts", "Elastic IP", about="stays when the host is replaced")


def _load_balancer(space: str, spec: Spec) -> Iterable[Resource]:
    noun = "load balancer"
    yield Resource(noun, "security group", name(space, "security-group", "front"), "80 and 443 from everywhere")
    yield Resource(noun, "ALB", name(space, "load-balancer"))
    yield Resource(noun, "target group", name(space, "target-group"), "asks the routers at /-/ready")
    yield Resource(noun, "listener", about="HTTP")
    if spec.domain:
        yield Resource(noun, "certificate", about=f"*.{spec.domain}")
    for one in spec.domains:
        yield Resource(noun, "certificate", about=one)
    if spec.domain or spec.domains:
        yield Resource(noun, "listener", about="HTTPS", when="once the certificate is issued")


def _domain(spec: Spec, has_zone: bool | None) -> Iterable[Resource]:
    where = "" if has_zone else "where Route 53 has its zone"
    target = "the load balancer" if spec.load_balancer else "the host"
    yield Resource("domain", "Route 53 record", f"*.{spec.domain}", f"leads to {target}", where)
    if spec.load_balancer:
        yield Resource("domain", "Route 53 record", about="proves the domain", when=where)


def _databases(space: str, spec: Spec) -> Iterable[Resource]:
    yield Resource("database", "security group", name(space, "security-group", "database"), "5432 from the hosts")
    yield Resource("database", "subnet group", name(space, "subnet-group", "database"))
    yield Resource("database", "parameter group", name(space, "parameter-group", f"postgres{MAJOR}"), "TLS only")
    if spec.database:
        yield _database(name(space, "database"), spec.database.size, spec.database.storage)
    for one in spec.databases:
        yield _database(own_database(space, one.addon), one.size, one.storage, f"of {one.addon}")


def _database(called: str, size: str, storage: int, whose: str = "") -> Resource:
    about = f"{size}, {storage} GB, private, encrypted, protected from deletion"
    return Resource("database", DATABASE, called, ", ".join(filter(None, (whose, about))))


def _budget(space: str, spec: Spec) -> Iterable[Resource]:
    if spec.budget:
        about = f"${spec.budget.monthly} a month, {spec.budget.email}, for the whole account"
        yield Resource("budget", "budget", name(space, "budget"), about)
