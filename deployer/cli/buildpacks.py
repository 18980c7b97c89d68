"""`buildpacks` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage
from deployer.operations import buildpacks as operations
from deployer.operations.apps import state_of

Name = Annotated[str, typer.Argument(metavar="BUILDPACK", help="Like heroku/python.")]
Index = Annotated[int | None, typer.Option("-i", "--index", help="The position, from 1.", min=1)]


def buildpacks(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """Show the buildpacks of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = state_of(space, name).app.buildpacks
    if as_json:
        shell.output.json([{"ordinal": n, "buildpack": {"name": pack}} for n, pack in enumerate(found)])
    elif not found:
        shell.output.print(f"{shell.output.app(name)} has no buildpacks: the next build detects them.")
    else:
        shell.output.header(f"{shell.output.app(name)} Buildpacks")
        _list(shell, found)


def set_buildpack(
    ctx: typer.Context, buildpack: Name, index: Index = None, app: options.App = None, remote: options.Remote = None
) -> None:
    """Set the buildpack of an app, or the one at a position."""
    name = operations.canonical(buildpack)
    _change(ctx.obj, app, remote, "Buildpack set", lambda before: operations.with_set(before, name, index))


def add(
    ctx: typer.Context, buildpack: Name, index: Index = None, app: options.App = None, remote: options.Remote = None
) -> None:
    """Add a buildpack, at the end or at a position."""
    name = operations.canonical(buildpack)
    _change(ctx.obj, app, remote, "Buildpack added", lambda before: operations.with_added(before, name, index))


def remove(
    ctx: typer.Context,
    buildpack: Annotated[str | None, typer.Argument(metavar="[BUILDPACK]", help="Its name, or -i.")] = None,
    index: Index = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Remove a buildpack by name or position."""
    if buildpack is None and index is None:
        raise BadUsage("Which buildpack? Neither a name nor a position was given.", "deployer buildpacks:remove")
    _change(ctx.obj, app, remote, "Buildpack removed", lambda before: operations.without(before, buildpack, index))


def clear(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Let the buildpacks be detected again."""
    _change(ctx.obj, app, remote, "Buildpacks cleared", lambda before: ())


def _change(
    shell: Shell,
    app: str | None,
    remote: str | None,
    said: str,
    change: Callable[[tuple[str, ...]], tuple[str, ...]],
) -> None:
    with opened(shell, app, remote) as (space, name):
        after = operations.change(space, name, change, shell.tell.quietly)
    shown = shell.output.app(name)
    if not after:
        shell.output.print(f"{said}. Next release on {shown} will detect buildpacks normally.")
    elif len(after) == 1:
        shell.output.print(f"{said}. Next release on {shown} will use {after[0]}.")
    else:
        shell.output.print(f"{said}. Next release on {shown} will use:")
        _list(shell, after)
    if after:
        those = "this buildpack" if len(after) == 1 else "these buildpacks"
        shell.output.print(f"Run git push deployer main to create a new release using {those}.")


def _list(shell: Shell, found: tuple[str, ...]) -> None:
    if len(found) == 1:
        shell.output.print(found[0])
        return
    for number, buildpack in enumerate(found, 1):
        shell.output.print(f"  {number}. {buildpack}")
