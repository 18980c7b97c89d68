"""`deployer logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.absent import say_who_is_missing
from deployer.cli.log_colours import Painter
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage

INTERRUPTED = 130


def logs(
    ctx: typer.Context,
    num: Annotated[int, typer.Option("-n", "--num", help="How many lines, on every host.", min=1, max=10_000)] = 100,
    tail: Annotated[bool, typer.Option("-t", "--tail", help="Go on with what comes.", show_default=False)] = False,
    dyno: Annotated[str | None, typer.Option("-d", "--dyno-name", help="Only this dyno, like web.1.")] = None,
    process_type: Annotated[str | None, typer.Option("-p", "--process-type", help="Only this process type.")] = None,
    source: Annotated[str | None, typer.Option("-s", "--source", help="`app` or `heroku` (the platform).")] = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Show the lines that an app, its dynos and the router wrote.

    Filters apply before the count: `-n 100 -d worker.1` is a hundred lines of worker.1."""
    from deployer.operations.logs import Filter
    from deployer.operations.logs import logs as operation

    if dyno and process_type:
        raise BadUsage("-d and -p exclude each other.", "deployer logs")
    if source not in (None, "app", "heroku"):
        raise BadUsage(f"No source is called `{source}`: app or heroku.", "deployer logs")
    shell: Shell = ctx.obj
    wanted = Filter(num, tail, dyno, process_type, source)
    painter = Painter(shell.output.colour_out and shell.env.get("HEROKU_LOGS_COLOR") != "0")
    try:
        with opened(shell, app, remote) as (space, name):
            say_who_is_missing(shell, space)
            for line in operation(space, name, wanted, shell.tell):
                shell.output.print(painter.painted(str(line)))
                if tail:
                    shell.output.out.flush()
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None  # how a tail ends: nothing to explain
