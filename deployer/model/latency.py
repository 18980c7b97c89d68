"""How long requests took, as counts by milliseconds: of several routers they add up to what all users felt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PARTS = ("before", "during")


@dataclass(frozen=True, slots=True)
class Latency:
    """So many requests took so many milliseconds."""

    counts: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Latency) -> Latency:
        return Latency(Counter(self.counts) + Counter(other.counts))

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.counts.values())

    @property
    def median(self) -> int:
        """The time within which half of them were answered."""
        half, seen = self.requests / 2, 0
        for milliseconds, count in sorted(self.counts.items()):
            seen += count
            if seen >= half:
                return milliseconds
        return 0

    @property
    def slowest(self) -> int:
        """The longest time."""
        return max(self.counts, default=0)


def of_times(times: Iterable[int]) -> Latency:
    """The latency of single requests."""
    return Latency(Counter(times))


@dataclass(frozen=True, slots=True)
class Window:
    """Which requests are looked at: those that ended since `since` seconds ago, and beside them those of `before`
    seconds until then."""

    since: float
    before: float


@dataclass(frozen=True, slots=True)
class Took:
    """How long requests took before a change and in it."""

    before: Latency = Latency()
    during: Latency = Latency()

    def __add__(self, other: Took) -> Took:
        return Took(self.before + other.before, self.during + other.during)


def encoded(took: Took | None) -> dict[str, list[list[int]]] | None:
    """As JSON: `{before: [[milliseconds, requests], ...], during}`."""
    if took is None:
        return None
    return {name: [[*pair] for pair in sorted(one.counts.items())] for name, one in _parts(took)}


def decoded(pairs: Mapping[str, Iterable[Iterable[int]]] | None) -> Took | None:
    """What `encoded` made."""
    if pairs is None:
        return None
    before, during = (Latency({milliseconds: count for milliseconds, count in pairs[name]}) for name in PARTS)
    return Took(before, during)


def _parts(took: Took) -> Iterable[tuple[str, Latency]]:
    return zip(PARTS, (took.before, took.during), strict=True)
