"""Bills for people and for programs: amounts, sums, and marks that lead to the sources of prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from deployer.cli.output import Output, table_lines
from infra.bill import HOURS, Bill, Line, Usage
from infra.prices import Price, Source, Table

UNKNOWN = "unknown"
ON_TOP = {
    "data-out": "data out, a GB",
    "rds/backup": "snapshots of the database that are kept, a GB",
    "rds/cpu-credit": "bursts of the database's processor, a vCPU-hour",
}


def money(amount: Decimal | None) -> str:
    """`12.26`, or that it is unknown."""
    return UNKNOWN if amount is None else f"{amount:.2f}"


def total(bill: Bill) -> str:
    """`$17.74`; with what is unknown beside it, and no number where nothing is known."""
    if not bill.unknown:
        return f"${bill.total:.2f}"
    return UNKNOWN if bill.unknown == len(bill.lines) else f"${bill.total:.2f} + {bill.unknown} unknown"


def heroku_line(line: Line) -> str:
    """`web=1:Basic $7.00`"""
    return f"{line.item.what} {UNKNOWN if line.amount is None else f'${line.amount:.2f}'}"


def sources(lines: Iterable[Line]) -> list[Source]:
    """Where the prices of the lines come from, each once."""
    return list(dict.fromkeys(line.price.source for line in lines if line.price))


def marks(lines: Iterable[Line], known: Sequence[Source]) -> str:
    """`[1]`, or `[6] [7]`: places in the list of sources."""
    numbers = sorted({known.index(line.price.source) + 1 for line in lines if line.price})
    return " ".join(f"[{number}]" for number in numbers)


def print_table(out: Output, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose columns stand to the right, but for the first and the last."""
    widths = [max(len(row[n]) for row in (titles, *rows)) for n in range(len(titles))]
    aligned = [
        [row[0], *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]]
        for row in (titles, *rows)
    ]
    for line in table_lines(aligned[0], aligned[1:]):
        out.print(line)


def print_sources(
    out: Output, known: Sequence[Source], aws: Sequence[Bill], heroku: Sequence[Bill], region: str
) -> None:
    """The list that the marks lead to, and a warning where there are prices without one."""
    out.print("Prices: on demand, US dollars, without tax.")
    for number, source in enumerate(known, 1):
        for part in out.wrapped(f"  [{number}] {source.title} ({source.date})"):
            out.print(part)
    if any(bill.unknown for bill in (*aws, *heroku)):
        out.warn("Unknown prices are in no table here; the sums are without them.")
    if any(bill.unknown for bill in aws):
        out.warn(f"`deployer prices:update --region {region}` reads them from AWS, with credentials of yours.")


def reckoned(usage: Usage) -> str:
    """What was assumed of traffic."""
    return (
        f"{HOURS} hours, {usage.store} GB in the store, {usage.capacity_units} capacity units of the load balancer,\n"
        f"{usage.between_zones} GB between zones, {usage.data_out} GB of data out (the first 100 GB are free)"
    )


def on_top(table: Table, region: str) -> str:
    """What may come on top, with its price where that is known."""
    return "\n".join(f"{text}: {_dollars(table.find(region, key))}" for key, text in ON_TOP.items())


def as_json(bill: Bill) -> dict[str, Any]:
    """`amount` and `price` are null where they are unknown; the sum is without those."""
    return {"sum": float(bill.total), "unknown": bill.unknown, "lines": [_line(line) for line in bill.lines]}


def _line(line: Line) -> dict[str, Any]:
    return {
        "noun": line.item.noun,
        "what": line.item.what,
        "quantity": float(line.item.quantity),
        "unit": line.item.unit,
        "price": float(line.price.usd) if line.price else None,
        "amount": None if line.amount is None else float(line.amount),
        "source": line.price.source if line.price else None,
    }


def _dollars(price: Price | None) -> str:
    return f"${price.usd}" if price else UNKNOWN
