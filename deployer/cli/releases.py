"""`releases`, `releases:info`, `releases:output`, `rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.output import moment
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.releases import BadVersion
from deployer.model.config_vars import shell_line
from deployer.model.release import parse_version
from deployer.operations import releases as operations
from deployer.operations.apps import state_of
from deployer.operations.releases import Listed

MARKS = {"failed": "red", "pending": "yellow"}
Version = Annotated[str | None, typer.Argument(metavar="[vN]", help="A release; the current one by default.")]


def releases(
    ctx: typer.Context,
    count: Annotated[int, typer.Option("-n", "--num", help="How many, newest first.", min=1)] = 15,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """List the releases of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        current, found = operations.listing(space, name, count)
    if as_json:
        shell.output.json([release_json(listed) for listed in found])
        return
    shell.output.header(f"{name} Releases - Current: v{current}" if current else f"{name} Releases")
    shell.output.print()
    now = shell.now()
    rows = [
        (r.release.name, r.release.description + _mark(shell, r), r.release.user, moment(r.release.created, now))
        for r in found
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    for row in rows:
        shell.output.print("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]))


def info(
    ctx: typer.Context,
    version: Version = None,
    app: options.App = None,
    remote: options.Remote = None,
    shell_style: Annotated[bool, typer.Option("-s", "--shell", help="Config vars as KEY=value lines.")] = False,
    as_json: options.Json = False,
) -> None:
    """Describe a release, with the config vars that it runs with."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.describe(space, name, _number(version))
    listed, release = found.listed, found.listed.release
    if as_json:
        shell.output.json({**release_json(listed), "config_vars": dict(found.config)})
        return
    shell.output.header(f"Release {release.name}")
    change = release.description + ("" if listed.status == "succeeded" else f" ({listed.reason or listed.status})")
    pairs = {
        "Add-ons": "\n".join(found.addons),
        "By": release.user,
        "Change": change,
        "Commit": release.commit or "",
        "Eligible for Rollback?": "Yes" if listed.is_eligible else "No",
        "When": moment(release.created, shell.now()),
    }
    shell.output.values({key: value for key, value in pairs.items() if value})
    shell.output.print()
    shell.output.header(f"{release.name} Config vars")
    if shell_style:
        for key, value in sorted(found.config.items()):
            shell.output.print(shell_line(key, value))
    else:
        shell.output.values(dict(sorted(found.config.items())), colour="green")


def output(ctx: typer.Context, version: Version = None, app: options.App = None, remote: options.Remote = None) -> None:
    """Print what a release command wrote."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        operations.output(space, name, _number(version), shell.output.print)


def rollback(
    ctx: typer.Context,
    version: Annotated[
        str | None, typer.Argument(metavar="[vN]", help="By default the one before the current.")
    ] = None,
    app: options.App = None,
    remote: options.Remote = None,
    watch: options.Watch = None,
    wait: options.Wait = None,
) -> None:
    """Return to the code and config vars of an earlier release.

    Makes a new release of it. Add-ons and the data in them stay as they are."""
    from deployer.operations.rollback import rollback as operation

    shell: Shell = ctx.obj
    number = _number(version)
    with opened(shell, app, remote) as (space, name):
        to = f" to v{number}" if number else ""
        before = state_of(space, name).current
        with shell.doing(f"Rolling back {shell.output.app_err(name)} ({space.space.name}){to}") as said:
            target, release = operation(space, name, number, shell.tell.quietly, wait=wait, watch=watch)
            said += [release.name, f"{target.name} again"]
    shell.output.warn(
        "Rollback affects code and config vars; it adds or removes no add-ons and undoes no migrations.\n"
        f"To undo, run: deployer rollback v{before.release if before else number}"
    )


def retry(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    watch: options.Watch = None,
    wait: options.Wait = None,
) -> None:
    """Make the newest release again, with its release command.

    The same code and config vars as a new release: for a release command that failed, or a release that was switched
    back."""
    from deployer.operations.retry import retry as operation

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        newest = operations.listing(space, name, 1)[1][0].release.name
        with shell.doing(f"Retrying {newest} on {shell.output.app_err(name)} ({space.space.name})") as said:
            _, release = operation(space, name, shell.tell.quietly, wait=wait, watch=watch)
            said.append(release.name)


def release_json(listed: Listed) -> dict[str, object]:
    """Heroku's release object, as far as there is something to say."""
    release = listed.release
    return {
        "version": release.number,
        "description": release.description,
        "status": listed.status,
        "current": listed.is_current,
        "eligible_for_rollback": listed.is_eligible,
        "created_at": release.created,
        "user": {"email": release.user},
        "slug": {"id": release.slug} if release.slug else None,
        "commit": release.commit,
    }


def _mark(shell: Shell, listed: Listed) -> str:
    if listed.status not in MARKS:
        return ""
    return " " + shell.output.paint(MARKS[listed.status], _became(listed))


def _became(listed: Listed) -> str:
    """What became of a release that does not serve, in Heroku's words where it has some."""
    if listed.status == "pending":
        return "release command executing"
    reason = listed.reason or ""
    if reason.startswith("switched back"):
        return "switched back"
    return "release command failed" if reason.startswith("The release command") else "failed"


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    number = parse_version(version)
    if number is None:
        raise BadVersion(version)
    return number
