"""What users of an app felt, as counts of requests; and whether a release that has just taken over is worse than the
one before. Pure rules: they must find what breaks every third request within seconds, and never mistake for it what
was so before."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

FEWEST = 20  # requests before anything is said about them
FEWEST_FAILED = 5  # of them: fewer may be anything
WELL_ABOVE = 0.05  # how much higher the share of failures must be, whatever the numbers
SURE, DOUBTFUL = 4.0, 1.0  # standard deviations; the first leaves room for looking again and again
SPREAD = 2.5  # ... within which the old rate is taken to lie
PRIOR = 1, 20  # of so many requests so many failed, it is assumed, before any was seen
ENOUGH = 50  # requests of the last moments that tell more than all that were ever counted

QUIET = 0.5  # seconds that an app is watched which nobody asks
USUAL = 3.0  # ... that others are
LONGEST = 10.0  # ... where failures were seen, and too few requests to judge them


@dataclass(frozen=True, slots=True)
class Felt:
    """Requests that routers have answered for an app, and those of them that failed (5xx)."""

    requests: int = 0
    failed: int = 0

    def __add__(self, other: Felt) -> Felt:
        return Felt(self.requests + other.requests, self.failed + other.failed)

    def since(self, before: Felt) -> Felt:
        """What came after `before`; all of it where the router began to count anew meanwhile."""
        if self.requests < before.requests or self.failed < before.failed:
            return self
        return Felt(self.requests - before.requests, self.failed - before.failed)


@dataclass(frozen=True, slots=True)
class Stayed:
    """Connections that stayed with old dynos when these were to go, and those of them that were cut after `patience`
    seconds."""

    open: int = 0
    cut: int = 0
    patience: float = 0.0


def baseline(recent: Felt, ever: Felt) -> Felt:
    """What the old release is judged by: its last moments, or where there were few requests in them, all that the
    routers have counted."""
    return recent if recent.requests >= ENOUGH else ever


def is_worse(old: Felt, new: Felt) -> bool:
    """Whether failures are well above the old rate: more than chance explains, of enough requests."""
    if new.requests < FEWEST or new.failed < FEWEST_FAILED:
        return False
    rate = _highest_rate(old)
    return new.failed > _explained(new.requests, rate, SURE) and new.failed > new.requests * (rate + WELL_ABOVE)


def seconds_to_watch(old: Felt, new: Felt, *, asked: bool) -> float:
    """For how long after the switch to look, by what was seen until now; `asked`: somebody uses the app these days."""
    if not asked and not new.requests:
        return QUIET
    mean = (old.failed + PRIOR[0]) / (old.requests + PRIOR[1])
    doubtful = new.failed > 1 and new.failed > _explained(new.requests, mean, DOUBTFUL)
    return LONGEST if doubtful else USUAL


def _explained(requests: int, rate: float, deviations: float) -> float:
    """The most failures that chance makes of a rate."""
    return requests * rate + deviations * sqrt(requests * rate * (1 - rate))


def _highest_rate(felt: Felt) -> float:
    """The highest share of failures that such counts allow; few of them are taken with what is usual of apps."""
    usual = _upper(felt.failed + PRIOR[0], felt.requests + PRIOR[1])
    return max(usual, _upper(felt.failed, felt.requests) if felt.requests >= FEWEST else 0.0)


def _upper(failed: int, requests: int) -> float:
    """The upper end of Wilson's interval around a share."""
    share, z = failed / requests, SPREAD
    spread = z * sqrt(share * (1 - share) / requests + z * z / (4 * requests * requests))
    return min(1.0, (share + z * z / (2 * requests) + spread) / (1 + z * z / requests))
