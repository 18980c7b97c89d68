"""`addons` and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from deployer.addons.catalog import find, find_provider
from deployer.addons.provider import HOURS_A_MONTH, Plan, Provider
from deployer.cli import options, own_addons, space_options
from deployer.cli.confirm import confirm
from deployer.cli.output import moment, size
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.operations import addons as operations
from deployer.operations import own_databases
from deployer.operations.addons import Owned

BILLED = "by AWS"
TITLES = ("Add-on", "Plan", "Price", "Max Price", "State")
Name = Annotated[
    str, typer.Argument(metavar="ADDON", help="An add-on's name, an attachment like DATABASE, or a service.")
]


def addons(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", "-A", help="Of all apps of the space.", show_default=False)] = False,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """List the add-ons of an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        apps = [found.name for found in space.ledger.apps()] if every else [name]
        found = [owned for one in apps for owned in operations.owned(space, one)]
    if as_json:
        shell.output.json([addon_json(owned) for owned in found])
    elif not found:
        shell.output.print(f"No add-ons for {'any app' if every else f'app {name}'}.")
    else:
        shell.output.table(TITLES, [row for owned in found for row in _rows(owned)])
        shell.output.print(
            f"\nThe table above shows add-ons {'of every app' if every else f'of {shell.output.app(name)}'}."
        )


def info(
    ctx: typer.Context,
    addon: Name,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Describe an add-on."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        own_databases.meet(space, name, shell.tell.briefly)
        found = operations.find_addon(space, name, addon)
    if as_json:
        shell.output.json(addon_json(found))
        return
    shell.output.header(found.addon.name)
    shell.output.values(
        {
            "Attachments": "\n".join(f"{name}::{attachment}" for attachment in found.attachments) or "none",
            "Installed at": moment(found.addon.created, shell.now()),
            "Max Price": _monthly(found.plan),
            "Owning app": found.addon.app,
            "Plan": f"{found.addon.service}:{found.addon.plan}",
            "Price": _hourly(found.plan),
            "State": _state(found),
        }
    )


def plans(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="Like heroku-postgresql.")],
    as_json: options.Json = False,
) -> None:
    """List the plans of a service."""
    shell: Shell = ctx.obj
    provider = find_provider(service)
    if as_json:
        shell.output.json([_plan_json(provider, plan) for plan in provider.plans])
    else:
        shell.output.table(("", "Slug", "Price", "Limits"), [_plan_row(provider, plan) for plan in provider.plans])


def create(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE[:PLAN]", help="Like heroku-postgresql:essential-0.")],
    alias: Annotated[str | None, typer.Option("--as", help="The attachment's name, like REPORTS.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The add-on's name.")] = None,
    fork: Annotated[str | None, typer.Option("--fork", metavar="DATABASE", help="Filled as that is now.")] = None,
    rollback: Annotated[
        str | None, typer.Option("--rollback", metavar="DATABASE", help="Filled as that was at the time of --to.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Like '2026-11-30 13:00:00+00:00'.")] = None,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="NAME", help="Filled from it: pg:snapshots lists them.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until a standard-* plan is there.", show_default=False)] = False,
    app: options.App = None,
    remote: options.Remote = None,
    yes: space_options.Yes = False,
) -> None:
    """Create an add-on and attach it to an app.

    Its config vars are set as one release. A creation that was cut off is finished by the next one.

    A plan like standard-0 is an RDS instance of its own, in spaces in AWS: what it changes there and costs is shown,
    and asked about. The command returns while AWS makes it; the next one that meets it makes the release."""
    shell: Shell = ctx.obj
    own = own_addons.Options(name, alias, fork, rollback, to, snapshot, wait)
    with opened(shell, app, remote) as (space, app_name):
        if find(service)[1].size:
            own_addons.create(shell, space, app_name, service, own, yes=yes)
            return
        own.refuse(service)
        made = operations.create(space, app_name, service, shell.tell.briefly, name=name, alias=alias)
    config_vars = ", ".join(f"{attachment}_{suffix}" for attachment in made.attachments for suffix in made.addon.config)
    shell.output.print(f"Created {made.addon.name} as {config_vars}")
    shell.output.say(f"Use deployer addons:info {made.addon.name} to see what it is like.")


def destroy(
    ctx: typer.Context,
    addon: Name,
    confirmation: options.Confirm = None,
    app: options.App = None,
    remote: options.Remote = None,
    keep: space_options.KeepData = None,
) -> None:
    """Delete an add-on and all its data.

    There is no way back. Its config vars go with it, as one release. Of a standard-* plan a last snapshot stays, unless
    --delete-data says otherwise."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.find_addon(space, name, addon)
        if found.plan.size:
            own_addons.destroy(shell, space, found.addon, confirmation, keep=keep is not False)
            return
        marked = shell.output.app_err(name)
        confirm(shell, name, confirmation, f"This will delete {found.addon.name} of {marked} and all data in it.")
        operations.destroy(space, name, found.addon.name, shell.tell.briefly)


def addon_json(owned: Owned) -> dict[str, object]:
    """Heroku's add-on object, as far as there is something to say; no secrets in it."""
    addon = owned.addon
    return {
        "name": addon.name,
        "addon_service": {"name": addon.service},
        "plan": {"name": f"{addon.service}:{addon.plan}"},
        "app": {"name": addon.app},
        "billed_price": {"cents": owned.plan.cents, "unit": "month"},
        "config_vars": [f"{name}_{suffix}" for name in owned.attachments for suffix in addon.config],
        "attachments": list(owned.attachments),
        "state": addon.state,
        "created_at": addon.created,
    }


def _plan_json(provider: Provider, plan: Plan) -> dict[str, object]:
    return {"name": f"{provider.service}:{plan.name}", "price": {"cents": plan.cents}, "limits": dict(plan.limits)}


def _plan_row(provider: Provider, plan: Plan) -> tuple[str, ...]:
    mark = "default" if plan is provider.plans[0] else "retired" if plan.retired else ""
    return mark, f"{provider.service}:{plan.name}", _monthly(plan), _limits(plan.limits)


def _rows(owned: Owned) -> list[tuple[str, ...]]:
    addon, plan = owned.addon, owned.plan
    first = (f"{addon.service} ({addon.name})", addon.plan, _hourly(plan), _monthly(plan), _state(owned))
    last = len(owned.attachments) - 1
    branches = [f"{'└─' if n == last else '├─'} as {name}" for n, name in enumerate(owned.attachments)]
    return [first, *((branch, "", "", "", "") for branch in branches)]


def _state(owned: Owned) -> str:
    return "created" if owned.addon.state == operations.PROVISIONED else owned.addon.state


def _hourly(plan: Plan) -> str:
    """An add-on on hosts that are paid for already is free; what AWS bills, the preview says."""
    if plan.size:
        return BILLED
    return f"~${plan.cents / 100 / HOURS_A_MONTH:.3f}/hour" if plan.cents else "free"


def _monthly(plan: Plan) -> str:
    if plan.size:
        return BILLED
    return f"${plan.cents / 100:g}/month" if plan.cents else "free"


def _limits(limits: Mapping[str, int]) -> str:
    return ", ".join(f"{size(value) if what == 'storage' else value} {what}" for what, value in limits.items())
