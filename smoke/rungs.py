"""The rungs: what each adds to the space, as values. A rung builds on those before it that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from infra.spec import NETWORK, Database, Spec

PREFIX = "smoke-"  # of the names of spaces


@dataclass(frozen=True, slots=True)
class Rung:
    """`adds` makes of a specification the one of this rung; the second argument is the domain, where there is one."""

    name: str
    about: str
    adds: Callable[[Spec, str | None], Spec] = lambda spec, domain: spec


def _front(spec: Spec, domain: str | None) -> Spec:
    return replace(spec, hosts=replace(spec.hosts, count=2), load_balancer=True, domain=domain)


RUNGS = (
    Rung("one-host", "one host, made; made once more, which changes nothing; described; looked at for drift"),
    Rung("database", "RDS beside it", lambda spec, domain: replace(spec, database=Database())),
    Rung("front", "two hosts behind an ALB, with a domain where one is given", _front),
    Rung("app", "an app, deployed to every host, and asked from outside; a change of it"),
    Rung("kill", "one host is ended in AWS; its group brings another"),
    Rung("roll", "another size: hosts that run stay, until hosts:roll replaces them", lambda spec, _: _sized(spec)),
)
NAMES = tuple(one.name for one in RUNGS)


def _sized(spec: Spec) -> Spec:
    return replace(spec, hosts=replace(spec.hosts, size=spec.hosts.size.replace(".small", ".medium")))


def chosen(names: Iterable[str]) -> tuple[Rung, ...]:
    """Those of these names in their order; all where none is named."""
    wanted = set(names)
    return tuple(one for one in RUNGS if one.name in wanted or not wanted)


def specs(rungs: Iterable[Rung], first: Spec, domain: str | None) -> Iterator[tuple[Rung, Spec]]:
    """Each rung and what the space is on it."""
    spec = first
    for one in rungs:
        spec = one.adds(spec, domain)
        yield one, spec


def described(space: str, spec: Spec) -> str:
    """The specification as deployer.toml says it."""
    lines = [
        f"[space.{space}]",
        f'region = "{spec.region}"',
        f'account = "{spec.account}"' if spec.account else "",
        f'hosts = {{ size = "{spec.hosts.size}", count = {spec.hosts.count} }}',
        f'database = {{ size = "{spec.database.size}" }}' if spec.database else "",
        "load-balancer = true" if spec.load_balancer else "",
        f'domain = "{spec.domain}"' if spec.domain else "",
        f'network = "{spec.network}"' if spec.network != NETWORK else "",
    ]
    return "\n".join(filter(None, lines)) + "\n"
