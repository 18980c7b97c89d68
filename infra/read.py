"""A space of deployer.toml, `[space.production]`, to its specification.

All that is wrong is told at once, each with its path in the file.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network
from typing import Any

from deployer.errors.preview import SpecificationBroken
from deployer.model.names import is_space_name
from infra.regions import REGIONS
from infra.sizes import DATABASES, HOSTS
from infra.spec import NETWORK, Budget, Database, Hosts, Issuer, Spec
from infra.subnets import NARROWEST, WIDEST

MOST_HOSTS = 20
STORAGE = (20, 65_536)  # GB of gp3 that RDS for PostgreSQL takes (RDS User Guide)
ACCOUNT = re.compile(r"[0-9]{12}")
DOMAIN = re.compile(r"(?=.{4,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")
DIRECTORY = re.compile(r"https://[^\s/@]+/[^\s]*")
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
BARE = re.compile(r"[A-Za-z0-9_\-\[\]]+")  # keys that TOML takes without quotes, and our own `ssh-from[0]`
KEYS = (
    "region",
    "account",
    "hosts",
    "database",
    "load-balancer",
    "domain",
    "budget",
    "access",
    "network",
    "certificates",
)


def parse(space: str, data: Any) -> Spec:
    """The specification of a space. Raises SpecificationBroken."""
    problems: list[str] = []
    read = Table(data, f"space.{space}", problems)
    if not is_space_name(space):
        problems.append(f"space.{space}: a space's name is lower-case letters, digits and dashes, a letter first")
    read.only(KEYS)
    spec = Spec(
        region=read.one_of("region", REGIONS, None),
        hosts=_hosts(read.table("hosts")),
        database=_database(read.table("database")) if read.has("database") else None,
        load_balancer=read.flag("load-balancer"),
        account=read.text("account", ACCOUNT, 'the 12 digits of an account, in quotes: "123456789012"'),
        domain=read.text("domain", DOMAIN, "a domain in lower case, like example.com"),
        budget=_budget(read.table("budget")) if read.has("budget") else None,
        ssh_from=_access(read.table("access")) if read.has("access") else (),
        network=read.network("network"),
        certificates=_certificates(read.table("certificates")) if read.has("certificates") else None,
    )
    if spec.hosts.count > 1 and not spec.load_balancer:
        read.wrong("load-balancer", f"{spec.hosts.count} hosts need one before them: load-balancer = true")
    if spec.load_balancer and spec.certificates:
        read.wrong("certificates", "mean nothing beside load-balancer: AWS issues those of a load balancer")
    if problems:
        raise SpecificationBroken("\n".join(problems))
    return spec


def _hosts(read: Table) -> Hosts:
    read.only(("size", "count"))
    return Hosts(read.one_of("size", HOSTS, Hosts().size), read.number("count", 1, MOST_HOSTS, 1))


def _database(read: Table) -> Database:
    read.only(("size", "storage"))
    default = Database()
    return Database(read.one_of("size", DATABASES, default.size), read.number("storage", *STORAGE, default.storage))


def _budget(read: Table) -> Budget:
    read.only(("monthly", "email"))
    email = read.text("email", EMAIL, "an address, like me@example.com")
    if email is None:
        read.wrong("email", "is missing: AWS writes there when the budget is nearly spent", once=True)
    return Budget(read.number("monthly", 1, 1_000_000, None), email or "")


def _certificates(read: Table) -> Issuer:
    read.only(("server", "email"))
    server = read.text("server", DIRECTORY, "the URL of an ACME directory, like https://acme.example.com/directory")
    return Issuer(server or "", read.text("email", EMAIL, "an address, like me@example.com") or "")


def _access(read: Table) -> tuple[str, ...]:
    read.only(("ssh-from",))
    found = read.data.get("ssh-from")
    if not isinstance(found, list) or not found:
        read.wrong("ssh-from", f'should be networks, like ["203.0.113.7/32"], {_found(found)}')
        return ()
    return tuple(net for n, one in enumerate(found) if (net := _outside(read, f"ssh-from[{n}]", one)))


def _outside(read: Table, key: str, value: Any) -> str | None:
    """A network that SSH may come from; the whole internet is none."""
    network = _network(value)
    if network is None:
        read.wrong(key, f"should be a network or an address, like 203.0.113.7/32, {_found(value)}")
    elif network.prefixlen < 8:
        read.wrong(key, "is most of the internet: port 22 stays closed to it")
    else:
        return str(network)
    return None


class Table:
    """One table of the file, with a problem for each value that does not fit. What does not fit reads as a default."""

    def __init__(self, data: Any, path: str, problems: list[str]) -> None:
        self.path, self.problems = path, problems
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            problems.append(f"{path}: should be a table, {_found(data)}")

    def wrong(self, key: str, what: str, *, once: bool = False) -> None:
        """Note a problem; with `once`, only where the value has none yet."""
        where = f"{self.path}.{key if BARE.fullmatch(key) else json.dumps(key)}"
        if not once or not any(problem.startswith(f"{where}:") for problem in self.problems):
            self.problems.append(f"{where}: {what}")

    def has(self, key: str) -> bool:
        return key in self.data

    def only(self, known: Collection[str]) -> None:
        """No other keys than these."""
        for key in self.data:
            if key not in known:
                self.wrong(key, f"means nothing here.{_meant(key.replace('_', '-'), known) or _there_are(known)}")

    def table(self, key: str) -> Table:
        return Table(self.data.get(key, {}), f"{self.path}.{key}", self.problems)

    def one_of(self, key: str, known: Collection[str], default: str | None) -> str:
        value = self.data.get(key, default)
        if value is None:
            self.wrong(key, f'is missing, like {key} = "eu-central-1"')
        elif value not in known:
            self.wrong(key, f"{json.dumps(value, default=str)} is none that deployer knows.{_meant(value, known)}")
        else:
            return str(value)
        return next(iter(known))

    def number(self, key: str, least: int, most: int, default: int | None) -> int:
        value = self.data.get(key, default)
        if type(value) is not int or not least <= value <= most:
            self.wrong(key, f"should be a whole number from {least} to {most}, {_found(value)}")
            return least
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if type(value) is not bool:
            self.wrong(key, f"should be true or false, {_found(value)}")
        return value is True

    def text(self, key: str, pattern: re.Pattern[str], what: str) -> str | None:
        value = self.data.get(key)
        if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            self.wrong(key, f"should be {what}, {_found(value)}")
            return None
        return value

    def network(self, key: str) -> str:
        value = self.data.get(key, NETWORK)
        network = _network(value)
        if network is None or not _is_private(network) or not WIDEST <= network.prefixlen <= NARROWEST:
            wanted = f"a private network between /{WIDEST} and /{NARROWEST}, like {NETWORK}"
            self.wrong(key, f"should be {wanted}, {_found(value)}")
            return NETWORK
        return str(network)


def _network(value: Any) -> IPv4Network | None:
    try:
        return IPv4Network(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_private(network: IPv4Network) -> bool:
    return any(network.subnet_of(one) for one in PRIVATE)


def _found(value: Any) -> str:
    return "found nothing" if value is None else f"found {json.dumps(value, default=str)[:60]}"


def _meant(value: Any, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    return f" Did you mean {near[0]}?" if near else ""


def _there_are(known: Collection[str]) -> str:
    return f" There are: {', '.join(known)}."
