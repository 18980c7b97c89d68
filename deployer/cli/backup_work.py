"""`pg:backups:capture`, `:restore`, `:download`, `:url` and the schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.backups import place
from deployer.cli.confirm import confirm
from deployer.cli.output import size
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.backups import OutputExists
from deployer.model.backup import CANCELED, COMPLETED
from deployer.model.events import Doing, Done, Reached
from deployer.operations import backup_files, backup_schedules, backups
from deployer.operations import backup_work as operations
from deployer.operations.backups import Found
from deployer.operations.pg import find_database
from deployer.operations.session import OpenSpace

INTERRUPTED = 130
EVERY = 64 << 20  # bytes between two words of progress
WATCHING = "Use Ctrl-C at any time to stop monitoring progress; the {what} will continue."
GOES_ON = "{name} goes on: `deployer pg:backups:info {name}` says how far it is, `deployer pg:backups:cancel` ends it."

Database = Annotated[
    str | None,
    typer.Argument(metavar="DATABASE", help="A config var, an attachment, a colour, an add-on; also OTHERAPP::NAME."),
]
Detached = Annotated[bool, typer.Option("--detach", help="Begin it, and do not watch.")]


def capture(
    ctx: typer.Context,
    database: Database = None,
    detach: Detached = False,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Back a database up.

    It is a dump in PostgreSQL's custom format, made on a host: whoever watches it may go. In spaces of AWS it lies in
    the space's bucket, elsewhere on the host that has the database."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.capture(space, name, database)
        shell.output.say(f"{found.backup.database} ---backup---> {found.backup.name}")
        _watched(shell, space, found, "backup", detach)
        if where := place(space):
            shell.output.warn(where)


def restore(
    ctx: typer.Context,
    backup: Annotated[
        str | None, typer.Argument(metavar="BACKUP", help="b001, OTHERAPP::b001, a file, or an https URL.")
    ] = None,
    database: Database = None,
    detach: Detached = False,
    app: options.App = None,
    remote: options.Remote = None,
    confirmation: options.Confirm = None,
) -> None:
    """Overwrite a database with what a backup holds.

    Without a backup it is the newest one. A file is what `pg_dump -Fc` or `heroku pg:backups:download` has written.
    The old data serves until all is there, and stays where the restore fails. Then connections to it end."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        source = operations.source_of(space, name, backup, shell.folder)
        target = find_database(space, name, database)
        warning = (
            f"This will overwrite {target.addon.name} of {shell.output.app_err(target.app)} with {source.name}.\n"
            "What dynos write meanwhile is lost: `deployer maintenance:on` keeps visitors out."
        )
        confirm(shell, target.app, confirmation, warning)
        found = operations.restore(space, name, source, database, _progress(shell))
        shell.output.say(f"{source.name} ---restore---> {found.backup.database} ({found.backup.name})")
        _watched(shell, space, found, "restore", detach)


def download(
    ctx: typer.Context,
    backup: Annotated[str | None, typer.Argument(metavar="BACKUP", help="b001; without it the newest.")] = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to.")] = "latest.dump",
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Download a backup.

    `pg_restore` reads it. A download that was cut off goes on where it was."""
    shell: Shell = ctx.obj
    path = shell.folder / output
    if path.exists():
        raise OutputExists(output)
    with opened(shell, app, remote) as (space, name):
        found = backups.find_whole(space, name, backup)
        shell.tell(Doing(f"Getting backup from {shell.output.app_err(name)}"))
        shell.tell(Reached(found.backup.name))
        count = backup_files.download(space, found, Path(path), _progress(shell))
        shell.tell(Done(f"{size(count)} in {output}"))


def url(
    ctx: typer.Context,
    backup: Annotated[str | None, typer.Argument(metavar="BACKUP", help="b001; without it the newest.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Print a URL of a backup that works for an hour, in spaces of AWS.

    Whoever knows it has the data."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        shell.output.print(backup_files.url(space, name, backup))


def schedule(
    ctx: typer.Context,
    database: Database = None,
    at: Annotated[str, typer.Option("--at", metavar="'HH:00 ZONE'", help="A full hour; UTC without a zone.")] = "",
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Back a database up every day.

    Hosts do it with nobody there. The newest seven are kept; those that `pg:backups:capture` makes are for you to
    delete."""
    shell: Shell = ctx.obj
    backup_schedules.parse_at(at)
    with opened(shell, app, remote) as (space, name):
        found = find_database(space, name, database)
        with shell.doing(f"Scheduling automatic daily backups of {found.addon.name} at {at}"):
            backup_schedules.schedule(space, name, database, at)
        if where := place(space):
            shell.output.warn(where)


def schedules(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """List the databases that are backed up every day."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = backup_schedules.schedules(space, name)
    if as_json:
        shell.output.json(
            [{"addon": one.addon, "database": one.database, "hour": one.hour, "zone": one.zone} for one in found]
        )
    elif not found:
        shell.output.print(f"No backups of {shell.output.app(name)} are scheduled.")
    else:
        shell.output.header("Backup Schedules")
        for one in found:
            shell.output.print(f"{one.database} ({one.addon}): daily at {one.hour}:00 {one.zone}")


def unschedule(
    ctx: typer.Context, database: Database = None, app: options.App = None, remote: options.Remote = None
) -> None:
    """Back a database up no more; the backups that there are stay."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name), shell.doing("Unscheduling daily backups") as said:
        said.append(backup_schedules.unschedule(space, name, database).addon)


def _watched(shell: Shell, space: OpenSpace, found: Found, what: str, detach: bool) -> None:
    """Its end; what went wrong is the command's failure."""
    name = found.backup.name
    if detach:
        shell.output.say(GOES_ON.format(name=name))
        return
    try:
        shell.output.say(WATCHING.format(what=what))
        shell.tell(Doing("Backing up" if what == "backup" else "Restoring"))
        outcome = operations.watch(space, found, _progress(shell))
    except KeyboardInterrupt:
        shell.tell.break_off()
        shell.output.say(GOES_ON.format(name=name))
        raise typer.Exit(INTERRUPTED) from None
    if outcome.status == CANCELED:
        shell.tell(Done("canceled"))
        raise typer.Exit(1)
    if outcome.status != COMPLETED:
        raise backups.failure_of(found.backup, outcome)
    shell.tell(Done(size(outcome.size)))
    for one in outcome.skipped:
        shell.output.warn(f"Left out, since the database's role may not make it: {one}")


def _progress(shell: Shell) -> operations.Reached:
    """A word every so many bytes."""
    said = 0

    def reached(count: int) -> None:
        nonlocal said
        if count - said >= EVERY:
            shell.tell(Reached(size(count)))
            said = count

    return reached
