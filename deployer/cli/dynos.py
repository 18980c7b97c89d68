"""`ps:stop`, `ps:type`, `ps:wait`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.ps import Change, parse_scale, rescaled
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.formation import BadScale, NoDynoNamed, NoSuchDyno
from deployer.model.formation import SIZES, Formation
from deployer.operations.apps import state_of
from deployer.operations.ps import dynos, formation_of


def stop(
    ctx: typer.Context,
    dyno: Annotated[str | None, typer.Option("-d", "--dyno-name", help="This dyno, like run.1234.")] = None,
    process_type: Annotated[str | None, typer.Option("-p", "--process-type", help="All dynos of this type.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
    wait: options.Wait = None,
) -> None:
    """Stop a dyno, or those of a process type.

    One-off dynos end for good. Others are replaced at once, as the formation wants them: `ps:scale TYPE=0` keeps them
    down."""
    from deployer.operations.scale import stop as operation

    shell: Shell = ctx.obj
    if (dyno is None) == (process_type is None):
        raise NoDynoNamed
    what = f"{dyno} dyno" if dyno else f"all {process_type} dynos"
    with opened(shell, app, remote) as (space, name):

        def chosen(kind: str, number: int) -> bool:
            return (dyno in (None, f"{kind}.{number}")) and (process_type in (None, kind))

        with shell.doing(f"Stopping {what} on {shell.output.app_err(name)} ({space.space.name})"):
            stopped = operation(space, name, chosen, shell.tell.quietly, wait=wait)
            if not stopped:
                running = ", ".join(line.name for line in dynos(space, name)[1]) or "none"
                raise NoSuchDyno(dyno or f"{process_type}.N", name, running)


def wait(
    ctx: typer.Context,
    process_type: Annotated[str | None, typer.Option("-t", "--type", help="Only dynos of this type.")] = None,
    with_run: Annotated[bool, typer.Option("-R", "--with-run", help="One-off dynos, too.", show_default=False)] = False,
    interval: Annotated[
        float, typer.Option("-w", "--wait-interval", metavar="SECONDS", min=0.1, help="Between two looks.")
    ] = 2,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Fail where it takes longer.")
    ] = 600,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Wait until every dyno runs the current release."""
    from deployer.operations.wait import Which, await_all

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        state = state_of(space, name)
        number = f"v{state.current.release}" if state.current else "the release"
        with shell.doing(f"Waiting for every dyno to be running {number}") as said:
            count = await_all(space, name, Which(process_type, with_run), every=interval, at_most=timeout)
            said.append(f"{count} / {count}")


def size(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="SIZE | TYPE=SIZE...", help="For all process types, or for some.")
    ] = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
    waiting: options.Wait = None,
) -> None:
    """Change the size of dynos; without words, show the sizes.

    Dynos that run get their new size by a restart; requests wait meanwhile. Makes no release."""
    from deployer.operations.scale import scale as operation

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        formation = formation_of(state_of(space, name))
        if words:
            changes = resized(words, formation)
            rescaled(formation, changes, name)
            with shell.doing(f"Scaling dynos on {shell.output.app_err(name)} ({space.space.name})"):
                wanted = partial(_rescaled, formation, changes, name)
                formation = operation(space, name, wanted, shell.tell.quietly, wait=waiting)
    if as_json:
        shell.output.json([{"type": t, "size": q.size, "quantity": q.quantity} for t, q in sorted(formation.items())])
    else:
        _tables(shell, formation)


def resized(words: Sequence[str], formation: Mapping[str, object]) -> list[Change]:
    """The changes of `ps:type`'s words: one size for all, or TYPE=SIZE each. BadScale for anything else."""
    if len(words) == 1 and words[0].lower() in SIZES:
        return parse_scale([f"{name}+0:{words[0]}" for name in formation])
    wrong = [word for word in words if word.count("=") != 1 or word.partition("=")[2].lower() not in SIZES]
    if wrong:
        sizes = ", ".join(one.name for one in SIZES.values())
        raise BadScale("\n".join(f"`{word}`: the sizes are {sizes}" for word in wrong), "web=1:Standard-2X")
    return parse_scale([word.replace("=", "+0:") for word in words])


def _rescaled(known: Formation, changes: Sequence[Change], app: str, now: Formation) -> Formation:
    return rescaled({**known, **now}, changes, app)


def _tables(shell: Shell, formation: Formation) -> None:
    shell.output.header("Process Types")
    rows = [(t, q.size, str(q.quantity), f"{SIZES[q.size.lower()].memory} MB") for t, q in sorted(formation.items())]
    shell.output.table(("Type", "Size", "Qty", "Memory each"), rows)
    shell.output.print()
    shell.output.header("Dyno Totals")
    used = dict.fromkeys(quantity.size for quantity in formation.values() if quantity.quantity)
    totals = {name: sum(q.quantity for q in formation.values() if q.size == name) for name in used}
    shell.output.table(("Size", "Total"), [(name, str(total)) for name, total in totals.items()])
