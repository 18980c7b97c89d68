"""Ranges of versions as package.json spells them (node-semver): `^20.1`, `20.x`, `>=18 <23 || 24`, `20 - 22`.

A range is a choice of sets of bounds: a version fits when it fits all bounds of one set. Versions that are no releases
(`1.2.3-rc.1`) fit no range; a bound that names one counts as its release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Version = tuple[int, int, int]
Bounds = tuple[Version, Version]  # from the first, below the second
LOWEST: Version = (0, 0, 0)
ENDLESS: Version = (1 << 32, 0, 0)
RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:\+\S+)?")
PART = r"(?:\d+|[xX*])"
PARTIAL = re.compile(rf"[v=]*({PART})(?:\.({PART}))?(?:\.({PART}))?(?:[-+][0-9A-Za-z.+-]+)?")
COMPARED = re.compile(r"(\^|~>?|>=|<=|>|<|=)?(\S+)")
SPACED = re.compile(r"(\^|~>?|>=|<=|>|<|=)\s+")
HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")


class NotARange(ValueError):
    """A text that means no range of versions."""


@dataclass(frozen=True, slots=True)
class Range:
    """One range: `choices` of bounds that must all hold."""

    choices: tuple[tuple[Bounds, ...], ...]

    def holds(self, version: Version) -> bool:
        """Whether a release is in the range."""
        return any(all(low <= version < high for low, high in bounds) for bounds in self.choices)

    def is_open(self) -> bool:
        """Whether every later version is in it, too: then a build may change by itself."""
        return any(all(high == ENDLESS for _, high in bounds) for bounds in self.choices)


def parse(text: str) -> Range:
    """A range. Raises NotARange."""
    return Range(tuple(_choice(choice.strip()) for choice in text.split("||")))


def release(text: str) -> Version | None:
    """`(20, 1, 3)` for `20.1.3` and `v20.1.3`; None for what is no release."""
    found = RELEASE.fullmatch(text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def best(wanted: Range, published: Iterable[str]) -> str | None:
    """The highest release of these that is in the range."""
    fitting = [version for text in published if (version := release(text)) and wanted.holds(version)]
    return show(max(fitting)) if fitting else None


def show(version: Version) -> str:
    """`20.1.3`."""
    return ".".join(map(str, version))


def _choice(text: str) -> tuple[Bounds, ...]:
    if hyphen := HYPHEN.fullmatch(text):
        return ((_bounds(hyphen[1])[0], _bounds(hyphen[2])[1]),)
    return tuple(map(_comparator, SPACED.sub(r"\1", text).split())) or ((LOWEST, ENDLESS),)


def _comparator(text: str) -> Bounds:
    found = COMPARED.fullmatch(text)
    if found is None:
        raise NotARange(text)
    operator, partial = found[1] or "=", found[2]
    low, high = _bounds(partial)
    match operator:
        case "^":
            return low, _next(low, _leading(partial))
        case "~" | "~>":
            return low, _next(low, min(_named(partial), 2))
        case ">=":
            return low, ENDLESS
        case ">":
            return high, ENDLESS
        case "<":
            return LOWEST, low
        case "<=":
            return LOWEST, high
    return low, high


def _numbers(partial: str) -> list[int]:
    """The numbers of `20`, `20.x`, `20.1.3` before the first wildcard."""
    found = PARTIAL.fullmatch(partial)
    if found is None:
        raise NotARange(partial)
    numbers: list[int] = []
    for part in found.groups():
        if part is None or part in "xX*":
            break
        numbers.append(int(part))
    return numbers


def _named(partial: str) -> int:
    return len(_numbers(partial))


def _leading(partial: str) -> int:
    """How many parts `^` holds fast: up to the first that is not zero, at most those that are named."""
    numbers = _numbers(partial)
    return next((place for place, number in enumerate(numbers, 1) if number), len(numbers))


def _bounds(partial: str) -> Bounds:
    """The versions that a name with parts left out stands for."""
    numbers = _numbers(partial)
    low = _filled(numbers)
    return low, _next(low, len(numbers))


def _next(version: Version, parts: int) -> Version:
    """The first version that differs in one of the first parts."""
    if parts == 0:
        return ENDLESS
    kept = list(version[:parts])
    kept[-1] += 1
    return _filled(kept)


def _filled(numbers: list[int]) -> Version:
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch
