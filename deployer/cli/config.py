"""`config`, `config:get`, `config:set`, `config:unset`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.config import BadConfigVars, UnreadableFile
from deployer.model.config_vars import ConfigVars, parse_env_file, parse_pairs, problems, shell_line
from deployer.operations.apps import state_of

if TYPE_CHECKING:
    from deployer.operations.session import OpenSpace

ShellStyle = Annotated[bool, typer.Option("-s", "--shell", help="As KEY=value lines for a shell or a .env file.")]


def config(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    shell_style: ShellStyle = False,
    as_json: options.Json = False,
) -> None:
    """Show the config vars of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = dict(sorted(state_of(space, name).config.items()))
    if as_json:
        shell.output.json(found)
    elif shell_style:
        for key, value in found.items():
            shell.output.print(shell_line(key, value))
    else:
        shell.output.header(f"{shell.output.app(name)} Config Vars")
        shell.output.values(found, colour="green")


def get(
    ctx: typer.Context,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Names of config vars.")],
    app: options.App = None,
    remote: options.Remote = None,
    shell_style: ShellStyle = False,
    as_json: options.Json = False,
) -> None:
    """Print the value of a config var.

    One that is not set is an empty line, and no error, as on Heroku."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = state_of(space, name).config
    if as_json:
        values = {key: found.get(key) for key in keys}
        shell.output.json(values if len(keys) > 1 else values[keys[0]])
        return
    for key in keys:
        value = found.get(key, "")
        shell.output.print(shell_line(key, value) if shell_style else value)


def set_vars(
    ctx: typer.Context,
    pairs: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="`-` reads a .env file.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
    from_file: Annotated[str | None, typer.Option("--from-file", help="A .env file; `-` is standard input.")] = None,
    watch: options.Watch = None,
    wait: options.Wait = None,
) -> None:
    """Set config vars, as one release.

    The app restarts beside its old dynos: no request is lost. Words win over files."""
    shell: Shell = ctx.obj
    words = [pair for pair in pairs or [] if pair != "-"]
    files = ([from_file] if from_file else []) + (["-"] if "-" in (pairs or []) and from_file != "-" else [])
    found = _collected(words, [_read(shell, name) for name in files])
    with opened(shell, app, remote) as (space, name):
        _change(shell, space, name, f"Setting {', '.join(sorted(found))}", dict(found), wait=wait, watch=watch)
    shell.output.values(dict(sorted(found.items())), colour="green")


def unset(
    ctx: typer.Context,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Names of config vars.")],
    app: options.App = None,
    remote: options.Remote = None,
    watch: options.Watch = None,
    wait: options.Wait = None,
) -> None:
    """Remove config vars, as one release."""
    shell: Shell = ctx.obj
    changes: dict[str, str | None] = dict.fromkeys(keys)
    with opened(shell, app, remote) as (space, name):
        _change(shell, space, name, f"Unsetting {', '.join(sorted(keys))}", changes, wait=wait, watch=watch)


def _change(
    shell: Shell,
    space: OpenSpace,
    name: str,
    doing: str,
    changes: Mapping[str, str | None],
    *,
    wait: float | None,
    watch: float | None,
) -> None:
    from deployer.operations.config_changes import refuse_bad
    from deployer.operations.release import change_config

    refuse_bad(state_of(space, name), space.ledger.addons(name), changes)
    with shell.doing(f"{doing} and restarting {shell.output.app_err(name)} ({space.space.name})") as said:
        release = change_config(space, name, changes, shell.tell.quietly, wait=wait, watch=watch)
        said.append(release.name)


def _collected(words: list[str], files: list[str]) -> ConfigVars:
    """All values; BadConfigVars with everything that is wrong with any of them."""
    found, wrong = parse_pairs(words)
    for text in files:
        values, bad = parse_env_file(text)
        found = {**values, **found}
        wrong += bad
    wrong += problems(found) if found else []
    if not found and not wrong:
        wrong = ["there is no KEY=VALUE in it"]
    if wrong:
        raise BadConfigVars("\n".join(wrong))
    return found


def _read(shell: Shell, name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(shell.folder, name).read_text(errors="surrogateescape")
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error
