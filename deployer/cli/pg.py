"""`pg:info`, `pg:psql`, `pg:promote`, `pg:wait` and `pg:snapshots`."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from deployer.cli import options
from deployer.cli.output import moment, size
from deployer.cli.own_addons import tell_made
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.cli.terminal import CHUNK, LocalTerminal
from deployer.errors.cli import BadUsage
from deployer.errors.config import UnreadableFile
from deployer.operations import own_databases, own_origins
from deployer.operations import pg as operations
from deployer.operations.pg import DatabaseInfo, Psql

Argument = Annotated[
    str | None,
    typer.Argument(metavar="DATABASE", help="A config var, an attachment, a colour, an add-on; also OTHERAPP::NAME."),
]


class GivenInput(LocalTerminal):
    """No terminal, and input from elsewhere than standard input."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__(tty=False)
        self._source = source

    def read(self) -> bytes:
        """The next bytes of it."""
        return self._source.read(CHUNK)


def info(
    ctx: typer.Context,
    database: Argument = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Describe the databases of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        own_databases.meet(space, name, shell.tell.briefly)
        found = operations.info(space, name, database)
    if as_json:
        shell.output.json([info_json(one) for one in found])
        return
    if not found:
        shell.output.print(f"{shell.output.app(name)} has no databases.")
    for one in found:
        shell.output.header(", ".join(one.database.config_vars) or one.database.addon.name)
        shell.output.values(info_values(one, shell.now()))
        shell.output.print()


def psql(
    ctx: typer.Context,
    database: Argument = None,
    commands: Annotated[list[str] | None, typer.Option("-c", "--command", help="SQL to run; also repeated.")] = None,
    file: Annotated[str | None, typer.Option("-f", "--file", help="A file of SQL to run.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> int:
    """Open psql in a database.

    It runs on the host that has the database, so that nothing has to be installed or opened here. SQL may also come
    through standard input. Its exit status is psql's."""
    shell: Shell = ctx.obj
    if commands and file:
        raise BadUsage("Give -c or -f, not both.", "deployer pg:psql")
    terminal = GivenInput(_open(shell, file)) if commands or file else LocalTerminal()
    with opened(shell, app, remote) as (space, name):
        session = operations.psql(space, name, database, Psql(tuple(commands or ())), terminal)
        shell.output.say(f"--> Connecting to {session.name}")
        with terminal.raw():
            return session.attend(terminal)


def promote(
    ctx: typer.Context,
    database: Annotated[str, typer.Argument(metavar="DATABASE", help="An attachment, a colour, or an add-on.")],
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Make a database an app's primary one.

    DATABASE_URL leads to it as of one new release. The database before it stays as it is, and keeps another name."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        operations.promote(space, name, database, shell.tell.briefly)


def wait(
    ctx: typer.Context,
    database: Argument = None,
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Wait until a database is there that RDS makes, and set its config vars, as a release.

    Where nothing is on its way it returns at once."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        tell_made(shell, own_databases.wait(space, name, shell.tell, database))


def snapshots(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """List the snapshots that RDS keeps of an app's own databases.

    Of one that was destroyed the last one stays: addons:create with --snapshot fills a new database from it."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = own_origins.snapshots(space, name)
    if as_json:
        shell.output.json(found)
    elif not found:
        shell.output.print(f"{shell.output.app(name)} has no snapshots.")
    else:
        rows = [
            (one.name, one.addon, one.created, f"{one.gigabytes} GB", "automatic" if one.is_automatic else "manual")
            for one in found
        ]
        shell.output.table(("Snapshot", "Database", "Created", "Size", "Kind"), rows)


def info_values(info: DatabaseInfo, now: datetime) -> dict[str, str]:
    """The lines of `pg:info`, in Heroku's order. What this plan cannot do is said to be unsupported."""
    addon, limits = info.database.addon, info.database.plan.limits
    values = {"Plan": info.database.plan.name.capitalize(), "Status": info.status}
    if info.size is not None:
        values |= {
            "Connections": f"{info.connections}/{info.limit}",
            "PG Version": str(info.version),
            "Created": moment(addon.created, now),
            "Data Size": _part(info.size, limits.get("storage")),
            "Tables": f"{info.tables}/{limits['tables']}" if "tables" in limits else str(info.tables),
        }
    if info.earliest is None:
        return values | {
            "Fork/Follow": "Unsupported",
            "Rollback": "Unsupported",
            "Continuous Protection": "Off",
            "Add-on": addon.name,
        }
    return values | {
        "Fork/Follow": "Fork",
        "Rollback": f"earliest from {info.earliest[:16].replace('T', ' ')} UTC",
        "Continuous Protection": "On",
        "Add-on": addon.name,
    }


def info_json(info: DatabaseInfo) -> dict[str, object]:
    """The same for programs; sizes in bytes."""
    addon = info.database.addon
    return {
        "addon": {"name": addon.name, "plan": f"{addon.service}:{addon.plan}", "created_at": addon.created},
        "config_vars": list(info.database.config_vars),
        "status": info.status.lower(),
        "version": info.version,
        "size": info.size,
        "tables": info.tables,
        "connections": info.connections,
        "rollback": {"earliest": info.earliest, "latest": info.latest} if info.earliest else None,
        "limits": {**info.database.plan.limits, **({"connections": info.limit} if info.limit is not None else {})},
    }


def _part(used: int, limit: int | None) -> str:
    """`8.1 MB / 1 GB (0.8%)`."""
    if limit is None:
        return size(used)
    return f"{size(used)} / {size(limit).replace('.0 ', ' ')} ({100 * used / limit:.1f}%)"


def _open(shell: Shell, name: str | None) -> IO[bytes]:
    if name is None:
        return io.BytesIO()
    try:
        return Path(shell.folder, name).open("rb")
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error
