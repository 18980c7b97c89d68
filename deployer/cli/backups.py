"""`pg:backups`, `:info`, `:delete`, `:cancel`, and what all commands of backups print."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer

from deployer.cli import options
from deployer.cli.confirm import confirm
from deployer.cli.output import moment, size
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.model.backup import CANCELED, COMPLETED, FAILED, is_restore
from deployer.operations import backups as operations
from deployer.operations.backups import Found
from deployer.operations.session import OpenSpace

Number = Annotated[str | None, typer.Argument(metavar="BACKUP", help="b001, or r001; without it the newest.")]
COLUMNS = ("ID", "Created at", "Status", "Size", "Database")


def backups(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """List the backups of an app's databases, and what was restored."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.listed(space, name)
        where = place(space)
    if as_json:
        shell.output.json([found_json(one) for one in found])
        return
    made = [one for one in found if not is_restore(one.backup.name)]
    _table(shell, "Backups", COLUMNS, made, "No backups. Capture one with `deployer pg:backups:capture`.")
    restored = [one for one in found if is_restore(one.backup.name)]
    titles = ("ID", "Started at", "Status", "Size", "Backup", "Database")
    _table(
        shell, "Restores", titles, restored, "No restores found. Use `deployer pg:backups:restore` to restore a backup."
    )
    if made and where:
        shell.output.warn(where)


def info(
    ctx: typer.Context,
    backup: Number = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Describe a backup, or what was restored."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.find(space, name, backup)
    if as_json:
        shell.output.json(found_json(found))
        return
    shell.output.header(
        f"Backup {found.backup.name}" if found.backup.source is None else f"Restore {found.backup.name}"
    )
    shell.output.values(info_values(found, shell.now()))
    if found.outcome and found.outcome.status == FAILED:
        shell.output.warn("\n\n".join(operations.failure_of(found.backup, found.outcome).paragraphs()))


def delete(
    ctx: typer.Context,
    backup: Annotated[str, typer.Argument(metavar="BACKUP", help="b001")],
    app: options.App = None,
    remote: options.Remote = None,
    confirmation: options.Confirm = None,
) -> None:
    """Delete a backup."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.find(space, name, backup, restores=False)
        confirm(shell, name, confirmation, f"This will delete the backup {found.backup.name} of {name}.")
        with shell.doing(f"Deleting backup {found.backup.name} on {shell.output.app_err(name)}"):
            operations.delete(space, name, found.backup.name)


def cancel(ctx: typer.Context, backup: Number = None, app: options.App = None, remote: options.Remote = None) -> None:
    """Cancel a backup or a restore that is at work.

    A database that would have been overwritten stays as it was."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name), shell.doing("Canceling") as said:
        said.append(operations.cancel(space, name, backup).backup.name)


def place(space: OpenSpace) -> str | None:
    """What to know of where backups lie; None where they are safe from the end of a host."""
    if space.space.kind == "aws":
        return None
    return "Backups lie on the host that has the database. `deployer pg:backups:download` brings one here."


def status_of(found: Found) -> str:
    """As Heroku says it: `Completed 2026-09-30 14:05:06 +0000`."""
    if found.outcome is None:
        return "Running"
    words = {COMPLETED: "Completed", FAILED: "Failed", CANCELED: "Canceled"}
    return f"{words.get(found.outcome.status, found.outcome.status)} {_at(found.outcome.at)}"


def info_values(found: Found, now: datetime) -> dict[str, str]:
    """The lines of `pg:backups:info`."""
    backup, outcome = found.backup, found.outcome
    values = {
        "Database": f"{backup.database} ({backup.addon})",
        "Restored from": backup.source or "",
        "Started at": moment(backup.created, now),
        "Finished at": moment(outcome.at, now) if outcome else "",
        "Status": status_of(found).split()[0],
        "Type": "Scheduled" if backup.scheduled else "Manual" if backup.source is None else "",
        "By": backup.user,
        "Host": backup.host,
        "Original DB Size": size(outcome.original) if outcome and outcome.original else "",
        "Backup Size": size(outcome.size) if outcome and outcome.size else "",
        "PG Version": outcome.version if outcome else "",
        "Left out": "\n".join(outcome.skipped) if outcome else "",
    }
    return {key: value for key, value in values.items() if value}


def found_json(found: Found) -> dict[str, Any]:
    """The same for programs; sizes in bytes."""
    backup, outcome = found.backup, found.outcome
    return {
        "id": backup.name,
        "kind": "restore" if is_restore(backup.name) else "backup",
        "app": backup.app,
        "addon": backup.addon,
        "database": backup.database,
        "created_at": backup.created,
        "status": outcome.status if outcome else "running",
        "finished_at": outcome.at if outcome else None,
        "size": outcome.size if outcome else None,
        "original_size": outcome.original if outcome else None,
        "version": outcome.version if outcome else None,
        "scheduled_at": backup.scheduled,
        "source": backup.source,
        "host": backup.host,
        "user": backup.user,
        "error": {"code": outcome.code, **outcome.details} if outcome and outcome.code else None,
        "left_out": list(outcome.skipped) if outcome else [],
    }


def _table(shell: Shell, title: str, titles: tuple[str, ...], found: Iterable[Found], none: str) -> None:
    rows = [_row(one) for one in found]
    shell.output.header(title)
    shell.output.print()
    if rows:
        shell.output.table(titles, rows)
    else:
        shell.output.print(none)
    shell.output.print()


def _row(found: Found) -> list[str]:
    backup = found.backup
    taken = size(found.outcome.size) if found.outcome and found.outcome.size else ""
    source = [backup.source] if backup.source is not None else []
    return [backup.name, _at(backup.created), status_of(found), taken, *source, backup.database]


def _at(text: str) -> str:
    return text.replace("T", " ").replace("Z", " +0000")
