"""Bare `deployer`: where the app of this folder stands, on one screen, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from deployer.cli.output import moment
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.errors.apps import NoApp, NoSpace
from deployer.operations import apps, releases
from deployer.operations.apps import AppInfo
from deployer.operations.ps import DynoLine, dynos
from deployer.operations.releases import Listed

LOOKED_AT = 10  # releases among which the last deploy is looked for


def status(ctx: typer.Context) -> None:
    """Where the app of this folder stands."""
    shell: Shell = ctx.obj
    try:
        with opened(shell, None, None) as (space, name):
            info = apps.info(space, name)
            _, lines = dynos(space, name)
            _, listed = releases.listing(space, name, LOOKED_AT)
    except NoSpace:
        _next(shell, "There is no space yet.", "deployer spaces:create sandbox")
        return
    except NoApp:
        _next(shell, "This folder has no app yet.", "deployer create")
        return
    shell.output.header(f"{shell.output.app(name)} ({info.space})")
    shell.output.values(_values(shell, info, lines, listed))
    _next(shell, "", next_command(info, lines, listed))


def next_command(info: AppInfo, lines: Sequence[DynoLine], listed: Sequence[Listed]) -> str:
    """What most people would type now."""
    if info.state.slug is None:
        return "git push deployer main"
    crashed = next((line.name for line in lines if line.state == "crashed"), None)
    if crashed:
        return f"deployer logs --dyno-name {crashed}"
    if listed and listed[0].status == "failed":
        return f"deployer releases:output {listed[0].release.name}"
    if not any(line.type == "web" for line in lines) and "web" in info.state.slug.process_types:
        return "deployer ps:scale web=1"
    return "deployer logs --tail"


def _values(shell: Shell, info: AppInfo, lines: Sequence[DynoLine], listed: Sequence[Listed]) -> dict[str, str]:
    release = info.state.release
    last = next((one for one in listed if one.release.description.startswith("Deploy")), None)
    pairs = {
        "URL": info.url,
        "Release": f"{release.name} {release.description}" if release else "",
        "Dynos": "\n".join(f"{line.name} {line.state}" for line in lines) or "none",
        "Add-ons": "\n".join(f"{addon.service}:{addon.plan} ({addon.name})" for addon in info.addons),
        "Last deploy": _deploy(shell, last) if last else "never",
        "Under way": f"{info.state.operation.kind}, {info.state.operation.phase}" if info.state.operation else "",
    }
    return {key: value for key, value in pairs.items() if value}


def _deploy(shell: Shell, listed: Listed) -> str:
    release = listed.release
    mark = "" if listed.status == "succeeded" else f", {listed.status}"
    return f"{release.name} by {release.user}, {moment(release.created, shell.now())}{mark}"


def _next(shell: Shell, text: str, command: str) -> None:
    shell.output.print(text)
    shell.output.print(f"Next: {command}" if not text else f"  $ {command}")
