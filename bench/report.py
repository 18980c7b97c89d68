"""The table of a run, and docs/performance.md, which a run writes itself."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Run

DOCUMENT = Path(__file__).parent.parent / "docs/performance.md"
HEAD = """\
# Performance

`make bench` measured this, and wrote this page: a Django site with {packages} packages, on systemd hosts of a
sandbox on {machine}; medians. Hosts, dynos, databases, the commands and the clients that
ask meanwhile share these cores: ratios say more than seconds.

*Beside* is what a person without deployer types, on the same hosts in the same run: `rsync`, `systemctl restart`,
`curl` until 200, over plain `ssh`, on all hosts at the same time. It has downtime by its nature. *Served* is when every
host answers with the new version, *returned* when the command has ended. With latency, a round trip to a host takes
that long for both; users' requests take the direct way.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `value` is ours and `beside` the baseline's, in the unit; `ratio` is the median of pairs. The budget is
    for the ratio, or for the value where `of_value`."""

    what: str
    unit: str
    value: float
    beside: float | None = None
    ratio: float | None = None
    budget: float | None = None
    of_value: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`hit`, `missed`, or nothing without a budget."""
        measured = self.value if self.of_value else self.ratio
        if self.budget is None or measured is None:
            return ""
        return "hit" if measured <= self.budget else "missed"


@dataclass
class Section:
    """A table with a title, and lines of text below it."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def paired(what: str, ours: Sequence[float], beside: Sequence[float], budget: float | None = None) -> Row:
    """A row of seconds from pairs; the ratio is the median of the pairs' ratios."""
    ratio = statistics.median(own / other for own, other in zip(ours, beside, strict=True))
    return Row(what, "s", statistics.median(ours), statistics.median(beside), ratio, budget)


def alone(what: str, ours: Sequence[float], budget: float | None = None, unit: str = "s", note: str = "") -> Row:
    """A row without a baseline; the budget is for the value."""
    return Row(what, unit, statistics.median(ours), budget=budget, of_value=True, note=note)


def failed(ours: Sequence[Run], beside: Sequence[Run]) -> Row:
    """How many of users' requests failed, ours and beside."""
    asked = sum(run.asked for run in ours)
    return Row(
        "requests failed meanwhile",
        "",
        sum(run.failed for run in ours),
        sum(run.failed for run in beside),
        budget=0,
        of_value=True,
        note=f"of {asked:,} and {sum(run.asked for run in beside):,}",
    )


def markdown(sections: Iterable[Section]) -> str:
    """All tables."""
    parts = []
    for section in sections:
        parts.append(f"## {section.title}\n")
        if section.rows:
            parts.append(_table(section.rows))
        parts += [f"{note}\n" for note in section.notes]
    return "\n".join(parts)


def document(sections: Sequence[Section], packages: int, missing: Sequence[str] = ()) -> str:
    """docs/performance.md; `missing` are parts that were not measured."""
    head = HEAD.format(packages=packages, machine=machine())
    if missing:
        head += f"\nNot measured of this version: {', '.join(missing)}.\n"
    return head + "\n" + markdown([_budgets(sections), *sections])


def machine() -> str:
    """What it ran on, in words."""
    return f"{os.cpu_count()} {platform.machine()} cores, Linux, Python {platform.python_version()}"


def profile_rows(steps: Sequence[Mapping[str, float]], totals: Sequence[float]) -> list[Row]:
    """Seconds by step, in the order of the first run that had them, and what no step accounts for."""
    names = list(dict.fromkeys(name for one in steps for name in one))
    rows = [alone(name, [one.get(name, 0.0) for one in steps]) for name in names]
    rest = [total - sum(one.values()) for one, total in zip(steps, totals, strict=True)]
    return [*rows, alone("everything else: Python, imports, the end", rest)]


def _budgets(sections: Iterable[Section]) -> Section:
    judged = [(section.title, row) for section in sections for row in section.rows if row.verdict]
    missed = [f"- {title}: {row.what}, {_measured(row)} (at most {_number(row.budget)})" for title, row in judged
              if row.verdict == "missed"]  # fmt: skip
    said = "\n".join(missed) if missed else "None is missed."
    return Section("Budgets", notes=[f"{len(judged) - len(missed)} of {len(judged)} hit. Missed:\n\n{said}"])


def _measured(row: Row) -> str:
    return f"{_number(row.value)} {row.unit}".strip() if row.of_value else f"{_number(row.ratio)} x"


def _table(rows: Sequence[Row]) -> str:
    lines = [("", "deployer", "beside", "ratio", "budget", "")]
    for row in rows:
        limit = "" if row.budget is None else f"{_number(row.budget)} {row.unit if row.of_value else 'x'}".strip()
        value = f"{_number(row.value)} {row.unit}".strip()
        beside = "" if row.beside is None else f"{_number(row.beside)} {row.unit}".strip()
        lines.append(
            (row.what, value, beside, _number(row.ratio), limit, ", ".join(filter(None, [row.verdict, row.note])))
        )
    widths = [max(len(line[at]) for line in lines) for at in range(6)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([text[0], rule, *text[1:]]) + "\n"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.2f}"
