"""`deployer deploy`: a release of the folder as it is, or of a commit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import opened_while
from deployer.cli.shell import Shell
from deployer.operations import checkout

if TYPE_CHECKING:
    from deployer.operations.deploy import Order

NoCache = Annotated[bool, typer.Option("--no-cache", help="Build everything anew.", show_default=False)]

OnHost = Annotated[
    bool, typer.Option("--on-host", help="Build on a host of the space, not on this machine.", show_default=False)
]
ON_HOST = "DEPLOYER_ON_HOST"  # set in the environment: the same, also for git push


def deploy(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    commit: Annotated[str | None, typer.Option("--commit", metavar="REF", help="This commit, not the folder.")] = None,
    no_cache: NoCache = False,
    again: Annotated[bool, typer.Option("--again", help="Even if nothing changed.", show_default=False)] = False,
    on_host: OnHost = False,
    app: options.App = None,
    remote: options.Remote = None,
    watch: options.Watch = None,
    wait: options.Wait = None,
) -> None:
    """Build and release the folder as it is, or a commit.

    What git ignores stays at home, and what .slugignore names. The previous release serves until the new one is healthy
    everywhere, and takes over again where that crashes or fails in its first moments.

    Where this machine cannot build for the space, a host of it does, with little weight; --on-host (also
    DEPLOYER_ON_HOST=1, for git push) asks for that. For git push, --watch is spelled git push -o watch=SECONDS."""
    shell: Shell = ctx.obj

    def order() -> Order:
        wanted = order_of(shell, commit, no_cache=no_cache, again=again)
        return replace(wanted, watch=watch, on_host=on_host or bool(shell.env.get(ON_HOST)))

    with opened_while(shell, app, remote, order) as (space, name, wanted):
        from deployer.operations import domain_wait, own_databases
        from deployer.operations.deploy import deploy as operation
        from deployer.operations.web_url import web_url

        shell.output.say(f"Deploying to {shell.output.app_err(name)} ({space.space.name})")
        own_databases.meet(space, name, shell.tell)
        domain_wait.meet(space, name, shell.tell)
        operation(space, name, wanted, shell.tell, wait=wait)
        url = web_url(space, name)
    shell.output.print(url)


def order_of(shell: Shell, ref: str | None, *, no_cache: bool = False, again: bool = False) -> Order:
    """The folder as it is, or a commit of its checkout."""
    from deployer.build.source import from_folder, from_git
    from deployer.operations.deploy import Order

    if ref is None:
        description = checkout.describe(shell.folder)
        return Order(from_folder(shell.folder), description, no_cache=no_cache, again=again)
    commit = checkout.commit(shell.folder, ref)
    source = from_git(commit.git_dir, commit.digest)
    return Order(source, f"Deploy {commit.digest[:8]}", commit.as_base64, no_cache=no_cache, again=again)
