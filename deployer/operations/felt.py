"""What users of an app felt of a change, by the routers' own counters before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any

from deployer.model.felt import Felt, Stayed
from deployer.model.latency import Latency, Took
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


def told(during: Felt, took: Took | None, stayed: Stayed) -> Iterator[str]:
    """`0 of 1,204 requests failed meanwhile`, how long they took against those before, and what became of connections
    that stayed with the old dynos, like websockets; nothing of what there was none of."""
    if during.requests:
        yield f"{during.failed:,} of {_counted(during.requests, 'request')} failed meanwhile"
    if took and took.during.requests:
        before = f" (before: {_times(took.before)})" if took.before.requests else ""
        yield f"latency: {_times(took.during)}{before}"
    if stayed.open:
        end = f"{stayed.cut:,} cut after {stayed.patience:.0f} s" if stayed.cut else "none cut"
        yield f"{_counted(stayed.open, 'connection')} stayed with the old dynos, {end}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _times(latency: Latency) -> str:
    return f"median {_in_words(latency.median)}, slowest {_in_words(latency.slowest)}"


def _in_words(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
