"""`deployer preview`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer

from deployer.cli import options
from deployer.cli.output import table_lines
from deployer.cli.resolve import manifest
from deployer.cli.shell import Shell
from deployer.errors.preview import RegionUnknown
from deployer.model.formation import DEFAULT_SIZE, SIZES
from deployer.operations import preview as operation
from deployer.operations.preview import App, Choice
from infra import prices
from infra.bill import HOURS, Bill, Line, Usage
from infra.prices import Source, Table
from infra.regions import DEFAULT, REGIONS
from infra.shapes import room
from infra.sizes import HOSTS

NOT_THERE = "-"
UNKNOWN = "unknown"
NAMED_BY = ("AWS_REGION", "AWS_DEFAULT_REGION")  # variables that the tools of AWS read


def preview(
    ctx: typer.Context,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="The region of AWS.")] = None,
    as_json: options.Json = False,
) -> None:
    """Show what the app of this folder would cost in AWS, beside Heroku.

    Needs no account and no network: the prices come with deployer, and each says its source and date. The formation is
    that of Procfile and app.json."""
    shell: Shell = ctx.obj
    app = operation.read(shell.folder)
    where = _region(shell, region)
    table = prices.load(prices.shipped())
    choices = operation.choices(app, where, table)
    if as_json:
        shell.output.json(_as_json(app, where, choices))
    else:
        _show(shell, app, where, choices, table)


def _region(shell: Shell, flag: str | None) -> str:
    chosen = flag or next((shell.env[name] for name in NAMED_BY if shell.env.get(name)), DEFAULT)
    if chosen not in REGIONS:
        near = difflib.get_close_matches(chosen, REGIONS, n=1)
        raise RegionUnknown(chosen, f" Did you mean {near[0]}?" if near else "")
    return chosen


def _show(shell: Shell, app: App, region: str, choices: Sequence[Choice], table: Table) -> None:
    out = shell.output
    name = manifest(shell.folder)[0] or shell.folder.resolve().name
    sources = _sources(choices)
    size = HOSTS[choices[0].spec.hosts.size]
    out.header(f"{out.app(name)} in AWS, {region}: dollars a month")
    for line in table_lines(*_table(choices, sources)):
        out.print(line)
    out.print()
    out.values(
        {
            "Formation": _formation(app),
            "Hosts": f"{size}, with room for {_room(size.name)} {DEFAULT_SIZE} dynos each",
            "On Heroku": "\n".join(_heroku_line(line) for line in choices[-1].heroku.lines) or "nothing",
            "Databases": _databases(app),
            "Reckoned": _usage(Usage()),
            "Not in it": _not_in_it(table, region),
        }
    )
    out.print()
    out.print("Prices: on demand, US dollars, without tax.")
    for number, source in enumerate(sources, 1):
        out.print(f"  [{number}] {source.title} ({source.date})")
    if any(bill.unknown for choice in choices for bill in (choice.bill, choice.heroku)):
        out.warn("Unknown prices are in no table here; the sums are without them.")


def _table(choices: Sequence[Choice], sources: Sequence[Source]) -> tuple[list[str], list[list[str]]]:
    """The titles and rows: an item a row, a choice a column, numbers to the right."""
    titles = ["", *(choice.spec.shape for choice in choices), ""]
    rows = [_row(what, choices, sources) for what in _items(choices)]
    rows.append(["", *("" for _ in choices), ""])
    rows.append(["Sum", *(_sum(choice.bill) for choice in choices), ""])
    rows.append(["The same on Heroku", *(_sum(choice.heroku) for choice in choices), _marks(_heroku(choices), sources)])
    widths = [max(len(row[n]) for row in (titles, *rows)) for n in range(len(titles))]
    aligned = [
        [row[0], *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]]
        for row in (titles, *rows)
    ]
    return aligned[0], aligned[1:]


def _items(choices: Sequence[Choice]) -> list[str]:
    """What is paid for, in any of the choices: those with most items say the order."""
    longest = max(choices, key=lambda choice: len(choice.bill.lines))
    found = [line.item.what for line in longest.bill.lines]
    return found + [w for choice in choices for line in choice.bill.lines if (w := line.item.what) not in found]


def _row(what: str, choices: Sequence[Choice], sources: Sequence[Source]) -> list[str]:
    found = [next((line for line in choice.bill.lines if line.item.what == what), None) for choice in choices]
    cells = [NOT_THERE if line is None else _money(line.amount) for line in found]
    return [what, *cells, _marks((line for line in found if line), sources)]


def _marks(lines: Iterable[Line], sources: Sequence[Source]) -> str:
    """`[1]`, or `[6] [7]`"""
    numbers = sorted({sources.index(line.price.source) + 1 for line in lines if line.price})
    return " ".join(f"[{number}]" for number in numbers)


def _sources(choices: Sequence[Choice]) -> list[Source]:
    lines = [line for choice in reversed(choices) for line in choice.bill.lines]
    return list(dict.fromkeys(line.price.source for line in [*lines, *_heroku(choices)] if line.price))


def _heroku(choices: Sequence[Choice]) -> list[Line]:
    return [line for choice in choices for line in choice.heroku.lines]


def _money(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{amount:.2f}"


def _sum(bill: Bill) -> str:
    """`$17.74`; with what is unknown beside it, and no number where nothing is known."""
    if not bill.unknown:
        return f"${bill.total:.2f}"
    return UNKNOWN if bill.unknown == len(bill.lines) else f"${bill.total:.2f} + {bill.unknown} unknown"


def _formation(app: App) -> str:
    words = " ".join(f"{name}={one.quantity}:{one.size}" for name, one in app.formation.items())
    return f"{words} (this folder has no Procfile)" if app.guessed else words


def _databases(app: App) -> str:
    missing = "\napp.json asks for one: the first size has none" if app.wants_database else ""
    return f"in RDS only: hosts come and go, with all that is on them{missing}"


def _room(size: str) -> int:
    return room(size) // SIZES[DEFAULT_SIZE.lower()].memory


def _heroku_line(line: Line) -> str:
    return f"{line.item.what} {UNKNOWN if line.amount is None else f'${line.amount:.2f}'}"


def _usage(usage: Usage) -> str:
    return (
        f"{HOURS} hours, {usage.store} GB in the store, {usage.capacity_units} capacity units of the load balancer,\n"
        f"{usage.between_zones} GB between zones, {usage.data_out} GB of data out (the first 100 GB are free)"
    )


def _not_in_it(table: Table, region: str) -> str:
    """What may come on top, with its price where that is known."""
    extra = {"data-out": "data out, a GB", "rds/backup": "snapshots of the database that are kept, a GB"}
    extra |= {"rds/cpu-credit": "bursts of the database's processor, a vCPU-hour"}
    found = {text: table.find(region, key) for key, text in extra.items()}
    return "\n".join(f"{text}: {f'${price.usd}' if price else UNKNOWN}" for text, price in found.items())


def _as_json(app: App, region: str, choices: Sequence[Choice]) -> dict[str, Any]:
    return {
        "region": region,
        "currency": "USD",
        "hours": HOURS,
        "formation": {name: {"quantity": q.quantity, "size": q.size} for name, q in app.formation.items()},
        "choices": [
            {"name": c.spec.shape, "specification": c.spec, "aws": _bill(c.bill), "heroku": _bill(c.heroku)}
            for c in choices
        ],
    }


def _bill(bill: Bill) -> dict[str, Any]:
    """`amount` and `price` are null where they are unknown; the sum is without those."""
    return {
        "sum": float(bill.total),
        "unknown": bill.unknown,
        "lines": [
            {
                "noun": line.item.noun,
                "what": line.item.what,
                "quantity": float(line.item.quantity),
                "unit": line.item.unit,
                "price": float(line.price.usd) if line.price else None,
                "amount": None if line.amount is None else float(line.amount),
                "source": line.price.source if line.price else None,
            }
            for line in bill.lines
        ],
    }
