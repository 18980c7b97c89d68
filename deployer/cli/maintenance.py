"""`maintenance`, `maintenance:on`, `maintenance:off`."""

from __future__ import annotations

import typer

from deployer.cli import options
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.operations.apps import state_of


def maintenance(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """Say whether the routers answer with the maintenance page."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        on = state_of(space, name).app.maintenance
    if as_json:
        shell.output.json({"app": name, "maintenance": on})
    else:
        shell.output.print("on" if on else "off")


def turn_on(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, wait: options.Wait = None
) -> None:
    """Answer every request with a page that says so, and status 503.

    Dynos run on, `run` works, and deploys change nothing about it."""
    _turn(ctx.obj, app, remote, wait, on=True)


def turn_off(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, wait: options.Wait = None
) -> None:
    """Let the app answer again."""
    _turn(ctx.obj, app, remote, wait, on=False)


def _turn(shell: Shell, app: str | None, remote: str | None, wait: float | None, *, on: bool) -> None:
    from deployer.operations.maintenance import turn

    with opened(shell, app, remote) as (space, name):
        verb = "Enabling" if on else "Disabling"
        with shell.doing(f"{verb} maintenance mode for {shell.output.app_err(name)} ({space.space.name})"):
            turn(space, name, shell.tell.quietly, on=on, wait=wait)
