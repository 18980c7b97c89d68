"""What users of an app felt of a change, by the routers' own counters before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

from deployer.model.felt import Felt
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out

Counts = Mapping[str, Felt]
"""What each router has counted since it started, by its host's id. One that does not run is not there."""


def felt(space: OpenSpace, app: str) -> Counts:
    """What all routers have counted until now."""

    def ask(session: Session) -> tuple[str, dict[str, int] | None]:
        return session.host.id, session.call("answered", {"app": app})["answered"]

    return counts(fan_out(space.sessions, ask))


def counts(answers: Iterable[tuple[str, Mapping[str, Any] | None]]) -> Counts:
    """Agents' answers by host as counts."""
    return {host: Felt(found["requests"], found["failed"]) for host, found in answers if found is not None}


def total(counted: Counts) -> Felt:
    """The sum over all routers."""
    return reduce(add, counted.values(), Felt())


def since(before: Counts, after: Counts) -> Felt:
    """What came between two looks, over all routers."""
    return total({host: now.since(before.get(host, Felt())) for host, now in after.items()})


def told(during: Felt) -> str | None:
    """`0 of 1,204 requests failed meanwhile`; None where nobody asked."""
    if not during.requests:
        return None
    plural = "" if during.requests == 1 else "s"
    return f"{during.failed:,} of {during.requests:,} request{plural} failed meanwhile"
