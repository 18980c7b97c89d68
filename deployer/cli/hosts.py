"""`hosts`, `hosts:reboot`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import space_of
from deployer.cli.shell import Shell
from deployer.operations import spaces as operations


def hosts(ctx: typer.Context, space: options.Space = None, as_json: options.Json = False) -> None:
    """List the machines of a space."""
    shell: Shell = ctx.obj
    found = operations.hosts(space_of(shell, space), shell.person)
    rows = [(state.host.id, state.host.seat, state.host.address, "up" if state.is_up else "down") for state in found]
    if as_json:
        shell.output.json([dict(zip(("name", "seat", "address", "state"), row, strict=True)) for row in rows])
    else:
        shell.output.table(("Name", "Seat", "Address", "State"), [[str(cell) for cell in row] for row in rows])


def reboot(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[HOST]...", help="All, where none is named.")] = None,
    space: options.Space = None,
) -> None:
    """Reboot hosts, one after another.

    Each is shut down properly and boots again with its dynos; the next one follows when it takes requests."""
    shell: Shell = ctx.obj
    operations.reboot(space_of(shell, space), names or [], shell.tell, shell.person)
