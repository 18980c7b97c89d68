"""`spaces`, `spaces:create`, `spaces:info`, `spaces:start`, `spaces:stop`, `spaces:destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.confirm import confirm
from deployer.cli.resolve import space_of
from deployer.cli.shell import Shell
from deployer.model.platforms import DEFAULT_SYSTEM
from deployer.operations import spaces as operations
from deployer.operations.checkout import remove_remotes
from deployer.operations.spaces import SpaceInfo, Wanted

Name = Annotated[str | None, typer.Argument(metavar="[SPACE]", help="The space.", show_default=False)]


def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SPACE", help="Lower-case letters, digits and dashes.")],
    hosts: Annotated[int, typer.Option("--hosts", min=1, max=50, metavar="N", help="How many hosts.")] = 1,
    platform: Annotated[str, typer.Option("--platform", help="debian-13 or debian-12.")] = DEFAULT_SYSTEM,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The front's port; the first free one from 8080.")
    ] = None,
) -> None:
    """Create a space on this machine.

    Its hosts are systemd machines with a network of their own; apps answer at http://APP.localhost:PORT/.
    It needs root."""
    shell: Shell = ctx.obj
    space = operations.create(Wanted(name, platform, hosts, port), shell.tell)
    shell.output.print(space.app_url("APP"))


def spaces(ctx: typer.Context, as_json: options.Json = False) -> None:
    """List the spaces that this machine knows."""
    shell: Shell = ctx.obj
    found = operations.spaces()
    if as_json:
        shell.output.json([{"name": space.name, "kind": space.kind} for space in found])
    elif not found:
        shell.output.say("There is no space yet: `deployer spaces:create sandbox` makes one on this machine.")
    else:
        shell.output.table(("Name", "Kind"), [(space.name, space.kind) for space in found])


def info(ctx: typer.Context, name: Name = None, space: options.Space = None, as_json: options.Json = False) -> None:
    """Describe a space."""
    shell: Shell = ctx.obj
    found = operations.info(space_of(shell, name or space))
    if as_json:
        shell.output.json(_as_json(found))
        return
    shell.output.header(found.pointer.name)
    shell.output.values(
        {
            "Apps": "not known: the space does not answer" if found.apps is None else "\n".join(found.apps) or "none",
            "Hosts": "\n".join(f"{s.host.id} {s.host.address} ({'up' if s.is_up else 'down'})" for s in found.hosts),
            "Kind": found.pointer.kind,
            "Platform": found.platform,
            "URL": found.url.replace("{app}", "APP"),
            "Folder": found.pointer.folder or "",
        }
    )


def start(ctx: typer.Context, name: Name = None, space: options.Space = None) -> None:
    """Start a space again, after this machine was restarted, or repair it."""
    shell: Shell = ctx.obj
    operations.start(space_of(shell, name or space), shell.tell)


def stop(ctx: typer.Context, name: Name = None, space: options.Space = None) -> None:
    """Shut a space down; its apps and their data stay."""
    shell: Shell = ctx.obj
    operations.stop(space_of(shell, name or space), shell.tell)


def destroy(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SPACE", help="The space.")],
    confirmation: options.Confirm = None,
) -> None:
    """Remove a space with all apps and data in it.

    There is no way back. Nothing of it is left on this machine."""
    shell: Shell = ctx.obj
    inside = operations.inside(name)
    confirm(shell, name, confirmation, f"This will destroy the space {name}: {inside}.")
    operations.destroy(name, shell.tell)
    remove_remotes(shell.folder, name)


def _as_json(info: SpaceInfo) -> dict[str, object]:
    return {
        "name": info.pointer.name,
        "kind": info.pointer.kind,
        "platform": info.platform,
        "url": info.url,
        "folder": info.pointer.folder,
        "apps": None if info.apps is None else list(info.apps),
        "hosts": [
            {"name": s.host.id, "seat": s.host.seat, "address": s.host.address, "state": "up" if s.is_up else "down"}
            for s in info.hosts
        ],
    }
