"""The README's picture of a space in AWS, out of what `make demo-cloud` shows: pure text in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from demo.transcript import DETAIL, Typed, normal, render

DOTS = "..."
# From the line that begins so this many lines are shown, and no others up to the line that begins so.
CUTS = (
    ("Account:", 0, "=== What it consists of"),
    ("=== What it consists of", 3, "Nothing was made"),
    (" resources would be made", 4, "Dollars a month"),
)
# What Pulumi, AWS and the clock choose.
CHOSEN = (
    (re.compile(r"(?<=deployer-production-)[0-9a-f]{7}\b"), "0a1b2c3"),
    (re.compile(r"_[0-9a-f]{32}"), "_0a1b2c3d4e5f"),
    (re.compile(r"(?<=\.)[a-z]{10}(?=\.acm-validations)"), "example"),
    (re.compile(r"(?<=-)\d{8}-\d{6}\b"), "20260101-120000"),
    (re.compile(r"(?<=-)\d{4}(-\d\d){4}\b"), "2026-01-01-12-00"),
)
TABLE, SUM = "Dollars a month", "Sum"


def picture(session: Iterable[Typed]) -> str:
    """The session as the README shows it."""
    return render([Typed(one.command, tuple(_shortened(list(one.lines)))) for one in session])


def _shortened(lines: list[str]) -> Iterator[str]:
    for begin, kept, end in CUTS:
        lines = _cut(lines, begin, kept, end)
    for is_detail, group in groupby(_without_same_amounts(lines), lambda line: bool(DETAIL.match(line))):
        run = list(group)
        yield from ([f"       {DOTS}"] if is_detail and len(run) > 1 else map(_stable, run))


def _cut(lines: list[str], begin: str, kept: int, end: str) -> list[str]:
    first = next((n for n, line in enumerate(lines) if begin in line), len(lines))
    last = next((n for n, line in enumerate(lines) if n > first and line.startswith(end)), 0)
    return [*lines[: first + kept], DOTS, *lines[last:]] if last > first + kept + 1 else lines


def _without_same_amounts(lines: Sequence[str]) -> list[str]:
    """Of a table of amounts now and then only the rows that differ, and none of a space's that is new."""
    first = next((n + 2 for n, line in enumerate(lines) if line.startswith(TABLE)), len(lines))
    last = next((n for n, line in enumerate(lines) if n >= first and line.startswith(SUM)), len(lines))
    kept = [row for row in lines[first:last] if _cells(row)[-2] not in ("-" * _is_new(lines[last]), _cells(row)[-1])]
    return [*lines[:first], *kept, *[DOTS][: last - first - len(kept)], *lines[last:]]


def _cells(row: str) -> list[str]:
    return re.split(r" {2,}", row)


def _is_new(total: str) -> bool:
    return _cells(total)[-2] == "-"


def _stable(line: str) -> str:
    for pattern, instead in CHOSEN:
        line = pattern.sub(instead, line)
    return normal(line)
