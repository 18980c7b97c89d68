"""`ps`, `ps:scale`, `ps:restart`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.absent import say_who_is_missing
from deployer.cli.output import moment
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.formation import BadScale, NoSuchDyno, NoSuchProcessType
from deployer.model.formation import MAX_DYNOS, SIZES, Formation, Quantity
from deployer.operations.apps import state_of
from deployer.operations.ps import DynoLine, dynos, formation_of

TOKEN = re.compile(r"([\w-]+)([=+-])(\d+)(?::([\w-]+))?")
STATES = {"up": "green", "crashed": "red", "starting": "cyan"}


def ps(
    ctx: typer.Context,
    types: Annotated[list[str] | None, typer.Argument(metavar="TYPE...", help="Only these process types.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """List the dynos of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        state, lines = dynos(space, name)
        say_who_is_missing(shell, space)
    known = [*formation_of(state), *(line.type for line in lines)]
    for wanted in types or ():
        if wanted not in known:
            raise NoSuchProcessType(wanted, name, ", ".join(dict.fromkeys(known)) or "none")
    shown = [line for line in lines if not types or line.type in types]
    if as_json:
        shell.output.json([dyno_json(line) for line in shown])
    elif not shown:
        shell.output.print(f"No dynos on {shell.output.app(name)}")
    else:
        for text in blocks(shown, shell.now(), shell.output.paint):
            shell.output.print(text)


def blocks(lines: Sequence[DynoLine], now: datetime, paint: Callable[[str, str], str]) -> list[str]:
    """One-off dynos, then a block for each process type and command, each followed by an empty line."""
    shown: list[str] = []
    for (kind, size, command), group in groupby(lines, key=lambda line: (line.type, line.size, _grouped(line))):
        members = list(group)
        title = "run: one-off processes" if kind == "run" else f"{kind} ({size}): {command}"
        shown.append(paint("bold", f"=== {title} ({len(members)})"))
        shown += [_line(member, now, paint) for member in members]
        shown.append("")
    return shown


def _grouped(line: DynoLine) -> str:
    return "" if line.type == "run" else line.command


def _line(line: DynoLine, now: datetime, paint: Callable[[str, str], str]) -> str:
    state = paint(STATES.get(line.state, "yellow"), line.state)
    since = f" {moment(line.since, now)}" if line.since else ""
    if line.type == "run":
        return f"{line.name} ({line.size}): {state}{since}: {line.command}"
    reason = f" ({line.reason})" if line.reason else ""
    return f"{line.name}: {state}{since}{reason}"


def dyno_json(line: DynoLine) -> dict[str, object]:
    """Heroku's dyno object, and what only we know."""
    return {
        "name": line.name,
        "type": line.type,
        "command": line.command,
        "size": line.size,
        "state": line.state,
        "updated_at": line.since,
        "release": {"version": line.release},
        "host": line.host,
        "restarts": line.restarts,
        "memory": line.memory,
        "reason": line.reason,
    }


def scale(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="TYPE=N[:SIZE]...", help="Also TYPE+N and TYPE-N.")
    ] = None,
    app: options.App = None,
    remote: options.Remote = None,
    wait: options.Wait = None,
) -> None:
    """Change how many dynos of each process type run, and their size.

    Without words it prints the formation in a form that can be pasted back. Makes no release."""
    from deployer.operations.scale import scale as operation

    shell: Shell = ctx.obj
    changes = parse_scale(words or [])
    with opened(shell, app, remote) as (space, name):
        formation = formation_of(state_of(space, name))
        if not changes:
            shell.output.print(" ".join(f"{t}={q.quantity}:{q.size}" for t, q in sorted(formation.items())))
            return
        rescaled(formation, changes, name)
        with shell.doing(f"Scaling dynos on {shell.output.app_err(name)} ({space.space.name})") as said:
            after = operation(
                space,
                name,
                lambda before: rescaled({**formation, **before}, changes, name),
                shell.tell.quietly,
                wait=wait,
            )
            touched = sorted({change.process_type for change in changes})
            said.append("now running " + ", ".join(f"{t} at {after[t].quantity}:{after[t].size}" for t in touched))


@dataclass(frozen=True, slots=True)
class Change:
    """One word of `ps:scale`; `operator` is `=`, `+` or `-`."""

    process_type: str
    operator: str
    count: int
    size: str | None


def parse_scale(words: Sequence[str]) -> list[Change]:
    """The changes that the words say; BadScale naming every word that says none (Heroku drops them in silence)."""
    found, wrong = [], []
    for word in words:
        match = TOKEN.fullmatch(word)
        if match is None:
            wrong.append(f"`{word}` is no TYPE=N")
        elif match[4] and match[4].lower() not in SIZES:
            wrong.append(f"`{word}`: the sizes are {', '.join(size.name for size in SIZES.values())}")
        else:
            size = SIZES[match[4].lower()].name if match[4] else None
            found.append(Change(match[1], match[2], int(match[3]), size))
    if wrong:
        raise BadScale("\n".join(wrong), _meant(words))
    return found


def _meant(words: Sequence[str]) -> str:
    """`web=3` for `web 3`."""
    if len(words) == 2 and words[1].isdigit():
        return f"{words[0]}={words[1]}"
    return "web=2 worker=1"


def rescaled(formation: Formation, changes: Sequence[Change], app: str) -> Formation:
    """The formation after the changes; NoSuchProcessType, BadScale for more than there may be."""
    found = dict(formation)
    for change in changes:
        name, count = change.process_type, change.count
        if name not in found:
            raise NoSuchProcessType(name, app, ", ".join(sorted(found)) or "none")
        before = found[name]
        quantity = {"=": count, "+": before.quantity + count, "-": max(0, before.quantity - count)}[change.operator]
        if quantity > MAX_DYNOS:
            raise BadScale(f"{name}={quantity}: at most {MAX_DYNOS} of one type", f"{name}={MAX_DYNOS}")
        found[name] = Quantity(quantity, change.size or before.size)
    return found


def restart(
    ctx: typer.Context,
    dyno: Annotated[str | None, typer.Option("-d", "--dyno-name", help="Only this dyno, like web.1.")] = None,
    process_type: Annotated[str | None, typer.Option("-p", "--process-type", help="Only this process type.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
    wait: options.Wait = None,
) -> None:
    """Restart dynos: all of an app, one, or those of a process type."""
    from deployer.operations.scale import restart as operation

    shell: Shell = ctx.obj
    what = f"dyno {dyno}" if dyno else f"all {process_type} dynos" if process_type else "all dynos"
    with opened(shell, app, remote) as (space, name):

        def chosen(kind: str, number: int) -> bool:
            return (dyno in (None, f"{kind}.{number}")) and (process_type in (None, kind))

        with shell.doing(f"Restarting {what} on {shell.output.app_err(name)} ({space.space.name})"):
            restarted = operation(space, name, chosen, shell.tell.quietly, wait=wait)
            if not restarted and (dyno or process_type):
                running = ", ".join(line.name for line in dynos(space, name)[1]) or "none"
                raise NoSuchDyno(dyno or f"{process_type}.N", name, running)
