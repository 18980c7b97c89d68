"""From an entry of the table to a running command: its module is imported, typer parses its words."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from deployer.cli.entry import Entry
from deployer.cli.help_texts import command_line
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage


def invoke(entry: Entry, words: list[str], shell: Shell) -> int:
    """Run the command; its exit status. BadUsage for words that it does not take."""
    name = f"deployer {entry.name}".strip()
    loaded = command(entry)
    try:
        # Not through `main`, which would make an exit of an interrupt and swallow broken pipes.
        with loaded.make_context(name, words, obj=shell) as context:
            _refuse_empty(loaded, context.params, name)
            status = loaded.invoke(context)
    except typer.Exit as left:
        return left.exit_code
    except typer.TyperException as error:
        raise BadUsage(error.format_message(), name) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return status if isinstance(status, int) else 0


def command(entry: Entry) -> TyperCommand:
    """The typer command of an entry, with the options that every command takes."""
    module, function = entry.at.split(":")
    called: Callable[..., Any] = getattr(importlib.import_module(f"deployer.cli.{module}"), function)
    # The words after `run` belong to the program that it runs.
    loaded = _typer_command(called, _help(entry, called.__doc__ or ""), interspersed=entry.topic != "run")
    if entry.changes_dynos:
        own = {option for param in loaded.params for option in param.opts}
        added = _typer_command(_for_hosts, "", interspersed=True).params
        loaded.params += [param for param in added if param.opts[0] not in own]
    loaded.params += _typer_command(_everywhere, "", interspersed=True).params
    return loaded


def _refuse_empty(loaded: TyperCommand, given: Mapping[str, Any], command: str) -> None:
    """`-a "$APP"` with nothing in APP must not mean any app, and `-d ""` not all dynos. The words of a program that
    `run` starts may be empty, but not its name."""
    for param in loaded.params:
        value = given.get(str(param.name))
        if value == param.default:
            continue
        words = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
        if "" in (words[:1] if param.name == "command" else words):
            raise BadUsage(f"The value of {_shown(param)} is empty.", command)


def _shown(param: Any) -> str:
    return str(param.opts[-1] if param.param_type_name == "option" else (param.metavar or param.name).strip("[].{}"))


def set_globally(shell: Shell, option: str) -> None:
    """`--no-color` or `--verbose`, before the command's name or among its words."""
    if option == "--verbose":
        shell.output.verbose = True
    else:
        shell.output.colour_out = shell.output.colour_err = False


def _typer_command(called: Callable[..., Any], about: str, *, interspersed: bool) -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = {
        "allow_interspersed_args": interspersed,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    }
    app.command(help=about, context_settings=settings)(called)
    loaded = typer.main.get_command(app)
    assert isinstance(loaded, TyperCommand)
    return loaded


def _hear(ctx: typer.Context, param: typer.CallbackParam, value: bool) -> None:
    if value:
        set_globally(ctx.obj, f"--{str(param.name).replace('_', '-')}")


def _switch(name: str, about: str) -> Any:
    return typer.Option(name, callback=_hear, is_eager=True, expose_value=False, help=about, show_default=False)


def _everywhere(
    no_color: Annotated[bool, _switch("--no-color", "No colours.")] = False,
    verbose: Annotated[bool, _switch("--verbose", "Timings, and tracebacks of defects.")] = False,
) -> None: ...


def _leave_out(ctx: typer.Context, value: list[str] | None) -> None:
    if "" in (value or ()):
        raise BadUsage("The value of --leave-out is empty.", str(ctx.info_name))
    ctx.obj.leave_out = tuple(value or ())


def _wait(ctx: typer.Context, value: float | None) -> None:
    ctx.obj.wait = value


def _for_hosts(
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            metavar="HOST",
            callback=_leave_out,
            expose_value=False,
            help="Go on without this host where it does not answer.",
        ),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            callback=_wait,
            expose_value=False,
            help="Wait that long for hosts that do not answer.",
        ),
    ] = None,
) -> None: ...


def _help(entry: Entry, doc: str) -> str:
    """The help line, what else the function says, and the examples; `\\b` keeps typer from filling lines."""
    rest = inspect.cleandoc(doc).partition("\n")[2].strip("\n")
    examples = "\n".join(f"  $ {command_line(example)}" for example in entry.examples)
    parts = [f"{entry.help}.", rest, f"\b\nExamples:\n{examples}" if examples else ""]
    return "\n\n".join(part for part in parts if part)
