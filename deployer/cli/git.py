"""`deployer git:remote`."""

from __future__ import annotations

import typer

from deployer.cli import options
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.checkout import NoCheckout
from deployer.operations import checkout
from deployer.operations.apps import state_of


def remote(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Add or change a git remote that deploys to an app."""
    shell: Shell = ctx.obj
    if not checkout.is_checkout(shell.folder):
        raise NoCheckout
    with opened(shell, app, None) as (space, name):
        state_of(space, name)
        where = checkout.Remote(remote or checkout.DEFAULT_REMOTE, space.space.name, name)
    checkout.set_remote(shell.folder, where)
    shell.output.print(f"set git remote {where.name} to {checkout.url(where.space, where.app)}")
