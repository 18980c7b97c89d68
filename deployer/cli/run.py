"""`deployer run` and `run:detached`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage
from deployer.model.formation import DEFAULT_SIZE, SIZES
from deployer.model.names import is_config_key

Words = Annotated[list[str], typer.Argument(metavar="COMMAND...", help="What to run; options of its own included.")]
Size = Annotated[str, typer.Option("-s", "--size", help="The dyno's size.")]
Env = Annotated[str | None, typer.Option("-e", "--env", metavar="'A=1;B=2'", help="Environment for this dyno.")]
NoTty = Annotated[bool, typer.Option("--no-tty", help="Give the command no terminal.", show_default=False)]
ExitCode = Annotated[bool, typer.Option("-x", "--exit-code", help="Accepted; always done.", hidden=True)]


def run(
    ctx: typer.Context,
    words: Words,
    size: Size = DEFAULT_SIZE,
    env: Env = None,
    no_tty: NoTty = False,
    exit_code: ExitCode = False,
    app: options.App = None,
    remote: options.Remote = None,
) -> int:
    """Run a command in a one-off dyno.

    Its exit status is this command's. A process type's name stands for what that type runs. Options of deployer stand
    before the command."""
    from deployer.cli.terminal import LocalTerminal
    from deployer.operations.run import Order, start

    shell: Shell = ctx.obj
    order = Order(command_of(words), _size(size), parse_env(env))
    terminal = LocalTerminal(tty=False) if no_tty else LocalTerminal()
    with opened(shell, app, remote) as (space, name):
        shown = shell.output.app_err(name)
        with shell.doing(f"Running {order.command} on {shown} ({space.space.name})") as said:
            one_off = start(space, name, order, terminal)
            said.append(f"{one_off.name} ({order.size})")
        with terminal.raw():
            return one_off.attend(terminal)


def detached(
    ctx: typer.Context,
    words: Words,
    size: Size = DEFAULT_SIZE,
    env: Env = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Run a command in a dyno that outlives this terminal.

    What it prints is in the app's logs."""
    from deployer.cli.terminal import LocalTerminal
    from deployer.operations.run import Order, start

    shell: Shell = ctx.obj
    order = Order(command_of(words), _size(size), parse_env(env), detached=True)
    with opened(shell, app, remote) as (space, name):
        with shell.doing(f"Running {order.command} on {shell.output.app_err(name)} ({space.space.name})") as said:
            one_off = start(space, name, order, LocalTerminal(tty=False))
            one_off.exchange.result()
            said.append(f"{one_off.name} ({order.size})")
        shell.output.say(f"Run deployer logs --app {name} --dyno-name {one_off.name} to view the output.")


def command_of(words: list[str]) -> str:
    """One word is a command line as it stands; several are quoted, so that each arrives whole."""
    return words[0] if len(words) == 1 else shlex.join(words)


def parse_env(text: str | None) -> dict[str, str]:
    """`A=1;B=2` as Heroku writes it; BadUsage for what is none."""
    pairs = [pair.partition("=") for pair in (text or "").split(";") if pair]
    bad = [key for key, equals, _ in pairs if not equals or not is_config_key(key)]
    if bad:
        raise BadUsage(f"`{bad[0]}` in --env is no NAME=VALUE.", "deployer run")
    return {key: value for key, _, value in pairs}


def _size(name: str) -> str:
    if name.lower() not in SIZES:
        raise BadUsage(f"No dyno size is called {name}: {', '.join(s.name for s in SIZES.values())}.", "deployer run")
    return SIZES[name.lower()].name
