"""`spaces:refresh`, `spaces:unlock`, `spaces:upgrade` and `spaces:export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployer.cli import options, space_options
from deployer.cli.resolve import is_in_aws, space_of
from deployer.cli.shell import Shell
from deployer.cli.spaces import Name
from deployer.errors.cloud import NotInAws
from deployer.model.lease import TIME_TO_LIVE


def refresh(
    ctx: typer.Context,
    name: Name = None,
    space: options.Space = None,
    as_json: options.Json = False,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 where something differs.", show_default=False)
    ] = False,
) -> None:
    """Show what in AWS is not as deployer left it: what somebody has changed or deleted by hand.

    It changes nothing, here or there: credentials that may only read are enough. `deployer up` puts it right."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    if not is_in_aws(shell, chosen):
        raise NotInAws(chosen, "`deployer doctor` looks for what is wrong with its hosts.")
    from deployer.cli import cloud

    cloud.refresh(shell, chosen, json=as_json, detailed=detailed)


def unlock(ctx: typer.Context, name: Name = None, space: options.Space = None, yes: space_options.Yes = False) -> None:
    """Show who is changing a space in AWS, and take the right to it away from them.

    For what a laptop has left that is gone for good. The lease of a command that was killed ends by itself after a
    minute; Pulumi's lock goes with the next command on the same machine, and after an hour on another one."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    if not is_in_aws(shell, chosen):
        raise NotInAws(chosen, f"A lease ends by itself {TIME_TO_LIVE:.0f} s after its command did.")
    from deployer.cli import cloud

    cloud.unlock(shell, chosen, yes=yes)


def upgrade(
    ctx: typer.Context,
    name: Name = None,
    space: options.Space = None,
    postgres: Annotated[
        int | None, typer.Option("--postgres", metavar="MAJOR", min=1, help="This major version, for its database.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("-j", "--json", help="JSON on stdout; changes nothing.", show_default=False)
    ] = False,
    yes: space_options.Yes = False,
) -> None:
    """Move a space in AWS to Debian's newest image, and its database to a newer major version of PostgreSQL.

    Both are pinned when they are first used: nothing else moves them. It shows from where to where and what that means,
    then the changes, as `preview` does, and asks. Credentials that may only read are enough to see it."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    if not is_in_aws(shell, chosen):
        raise NotInAws(chosen, "Its hosts keep the system that they have, with what apt brings.")
    from deployer.cli import cloud

    cloud.upgrade(shell, chosen, postgres, json=as_json, yes=yes)


def export(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIRECTORY]", help="New or empty; ./SPACE.", show_default=False)
    ] = None,
    space: options.Space = None,
) -> None:
    """Write a space in AWS as a project of Pulumi's own, for those who leave.

    The directory gets the program, the stack's configuration and a copy of Pulumi's state: `pulumi up` there, with the
    passphrase that the account has, changes nothing. This changes nothing in AWS, and writes no secret."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, space)
    if not is_in_aws(shell, chosen):
        raise NotInAws(chosen, "Of other spaces, all that there is lies on their hosts: Pulumi knows nothing of it.")
    from deployer.cli import cloud

    cloud.export(shell, chosen, shell.folder / (directory or chosen))
