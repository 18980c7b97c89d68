"""`deployer preview`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deployer.cli import bills, options
from deployer.cli.preview_space import preview_space
from deployer.cli.resolve import is_in_aws, manifest
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage
from deployer.errors.preview import RegionUnknown
from deployer.model.formation import DEFAULT_SIZE, SIZES
from deployer.operations import preview as operation
from deployer.operations import prices
from deployer.operations.preview import App, Choice
from infra.bill import HOURS, Line, Usage
from infra.prices import Source, Table
from infra.regions import DEFAULT, REGIONS
from infra.shapes import room
from infra.sizes import HOSTS

NOT_THERE = "-"
NAMED_BY = ("AWS_REGION", "AWS_DEFAULT_REGION")  # variables that the tools of AWS read


def preview(
    ctx: typer.Context,
    space: Annotated[
        str | None, typer.Option("--space", metavar="SPACE", help="A space that deployer.toml describes.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="The region of AWS.")] = None,
    as_json: options.Json = False,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 where `up` would change something in AWS.")
    ] = False,
) -> None:
    """Show what the app of this folder would cost in AWS, beside Heroku.

    Needs no account and no network: the prices come with deployer, and each says its source and date. Three sizes of a
    space for the formation of Procfile and app.json; with --space the one that deployer.toml describes below
    [space.SPACE], and what it consists of.

    Once that space is there, it shows what `up` would change in it: read-only credentials are enough, nothing is
    written anywhere."""
    shell: Shell = ctx.obj
    if space and space in shell.pointers.names() and is_in_aws(shell, space):
        from deployer.cli import cloud

        cloud.preview(shell, space, json=as_json, detailed=detailed)
        return
    if space and region:
        raise BadUsage("The region of a space stands in deployer.toml.", "deployer preview")
    app = operation.read(shell.folder)
    table = prices.load()
    if space:
        preview_space(shell, app, space, table, as_json=as_json)
        return
    where = region_of(shell, region)
    choices = operation.choices(app, where, table)
    if as_json:
        shell.output.json(_as_json(app, where, choices))
    else:
        _show(shell, app, where, choices, table)


def region_of(shell: Shell, flag: str | None) -> str:
    """The flag's region, else the one that the tools of AWS would take, else us-east-1."""
    chosen = flag or next((shell.env[name] for name in NAMED_BY if shell.env.get(name)), DEFAULT)
    if chosen not in REGIONS:
        near = difflib.get_close_matches(chosen, REGIONS, n=1)
        raise RegionUnknown(chosen, f" Did you mean {near[0]}?" if near else "")
    return chosen


def _show(shell: Shell, app: App, region: str, choices: Sequence[Choice], table: Table) -> None:
    out = shell.output
    name = manifest(shell.folder)[0] or shell.folder.resolve().name
    known = bills.sources([*(line for c in reversed(choices) for line in c.bill.lines), *_heroku(choices)])
    size = HOSTS[choices[0].spec.hosts.size]
    out.header(f"{out.app(name)} in AWS, {region}: dollars a month")
    bills.print_table(out, ["", *(choice.spec.shape for choice in choices), ""], _rows(choices, known))
    out.print()
    out.values(
        {
            "Formation": _formation(app),
            "Hosts": f"{size}, with room for {_room(size.name)} {DEFAULT_SIZE} dynos each",
            "On Heroku": "\n".join(bills.heroku_line(line) for line in choices[-1].heroku.lines) or "nothing",
            "Databases": _databases(app),
            "Reckoned": bills.reckoned(Usage()),
            "Not in it": bills.on_top(table, region),
        }
    )
    out.print()
    bills.print_sources(out, known, [c.bill for c in choices], [c.heroku for c in choices], region)


def _rows(choices: Sequence[Choice], known: Sequence[Source]) -> list[list[str]]:
    """An item a row, a choice a column."""
    on_heroku = [bills.total(choice.heroku) for choice in choices]
    return [
        *(_row(what, choices, known) for what in _items(choices)),
        ["", *("" for _ in choices), ""],
        ["Sum", *(bills.total(choice.bill) for choice in choices), ""],
        ["The same on Heroku", *on_heroku, bills.marks(_heroku(choices), known)],
    ]


def _items(choices: Sequence[Choice]) -> list[str]:
    """What is paid for, in any of the choices: those with most items say the order."""
    longest = max(choices, key=lambda choice: len(choice.bill.lines))
    found = [line.item.what for line in longest.bill.lines]
    return found + [w for choice in choices for line in choice.bill.lines if (w := line.item.what) not in found]


def _row(what: str, choices: Sequence[Choice], known: Sequence[Source]) -> list[str]:
    found = [next((line for line in choice.bill.lines if line.item.what == what), None) for choice in choices]
    cells = [NOT_THERE if line is None else bills.money(line.amount) for line in found]
    return [what, *cells, bills.marks((line for line in found if line), known)]


def _heroku(choices: Sequence[Choice]) -> list[Line]:
    return [line for choice in choices for line in choice.heroku.lines]


def _formation(app: App) -> str:
    words = " ".join(f"{name}={one.quantity}:{one.size}" for name, one in app.formation.items())
    return f"{words} (this folder has no Procfile)" if app.guessed else words


def _databases(app: App) -> str:
    missing = "\napp.json asks for one: the first size has none" if app.wants_database else ""
    return f"in RDS only: hosts come and go, with all that is on them{missing}"


def _room(size: str) -> int:
    return room(size) // SIZES[DEFAULT_SIZE.lower()].memory


def _as_json(app: App, region: str, choices: Sequence[Choice]) -> dict[str, Any]:
    return {
        "region": region,
        "currency": "USD",
        "hours": HOURS,
        "formation": {name: {"quantity": q.quantity, "size": q.size} for name, q in app.formation.items()},
        "choices": [
            {
                "name": choice.spec.shape,
                "specification": choice.spec,
                "aws": bills.as_json(choice.bill),
                "heroku": bills.as_json(choice.heroku),
            }
            for choice in choices
        ],
    }
