"""What users of an app felt of a change, by the routers' own counters before and after it."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out

WHOLE = "BACKEND"  # HAProxy's name for the sum over an app's slots


@dataclass(frozen=True, slots=True)
class Felt:
    """Requests that the routers have answered for an app, and those of them that failed (5xx), since they started."""

    requests: int
    failed: int


def felt(space: OpenSpace, app: str) -> Felt:
    """The sum over all routers."""

    def ask(session: Session) -> Felt:
        whole = session.call("counters", {"app": app})["slots"].get(WHOLE, {})
        return Felt(whole.get("requests", 0), whole.get("server_errors", 0))

    answers = fan_out(space.sessions, ask)
    return Felt(sum(one.requests for one in answers), sum(one.failed for one in answers))


def between(before: Felt, after: Felt) -> str | None:
    """`0 of 1,204 requests failed meanwhile`; None where nobody asked, or a router began to count anew."""
    requests, failed = after.requests - before.requests, after.failed - before.failed
    if requests <= 0 or failed < 0:
        return None
    return f"{failed:,} of {requests:,} request{'' if requests == 1 else 's'} failed meanwhile"
