"""`hosts`, `hosts:add`, `hosts:remove`, `hosts:promote`, `hosts:reboot`, `hosts:roll`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options, space_options
from deployer.cli.absent import absence_of
from deployer.cli.confirm import confirm
from deployer.cli.not_in_aws import refuse_in_aws
from deployer.cli.resolve import is_in_aws, open_named, pointer_to, space_of
from deployer.cli.shell import Shell
from deployer.cli.space_options import refuse_mixed
from deployer.errors.cloud import NotInAws
from deployer.operations import spaces as operations

if TYPE_CHECKING:
    from deployer.operations.promote import Plan
    from deployer.spaces.sandbox.sandbox import Sandbox


def hosts(ctx: typer.Context, space: options.Space = None, as_json: options.Json = False) -> None:
    """List the machines of a space."""
    shell: Shell = ctx.obj
    found = operations.hosts(space_of(shell, space), shell.person)
    rows = [
        (one.id, one.seat, one.address or one.private_address, state.word) for state in found for one in [state.host]
    ]
    if as_json:
        shell.output.json([dict(zip(("name", "seat", "address", "state"), row, strict=True)) for row in rows])
    else:
        shell.output.table(("Name", "Seat", "Address", "State"), [[str(cell) for cell in row] for row in rows])


def add(
    ctx: typer.Context,
    space: options.Space = None,
    target: Annotated[
        str | None, typer.Option("--host", metavar="USER@ADDRESS", help="A machine that you have, for a space of such.")
    ] = None,
    private: Annotated[
        str | None,
        typer.Option("--private-address", metavar="ADDRESS", help="Where other hosts reach it; found else."),
    ] = None,
    keys: options.HostKeys = None,
    confirmation: options.Confirm = None,
) -> None:
    """Add a host to a space.

    It has the code and the routes of every app before it counts, and gets dynos as apps are scaled up or deployed: what
    runs stays where it is. No request is lost.

    To a space on this machine one more is made there, which needs root. To a space of machines that you have, --host
    names another one, as for spaces:create: it is looked at first, and what would change on it is asked about."""
    from deployer.operations.hosts import add as operation

    shell: Shell = ctx.obj
    name = space_of(shell, space)
    refuse_in_aws(shell, name, "hosts:add")
    if pointer_to(shell, name).kind == "ssh":
        from deployer.cli import rented

        rented.add(shell, name, target, private, keys or (), confirmation)
        return
    given = {"--host": target, "--private-address": private, "--host-key": keys, "--confirm": confirmation}
    refuse_mixed("a space on this machine", given)
    sandbox = _sandbox(name, "hosts:add", "--space", name)
    with open_named(shell, name) as found:
        host = operation(found, sandbox, shell.tell)
    shell.output.print(host.id)


def remove(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST", help="As `deployer hosts` names it.")],
    space: options.Space = None,
) -> None:
    """Remove a host from a space.

    Its dynos start on the other hosts first, beside those that serve, which then finish their requests. One that does
    not answer is removed as it is. The first host, which has the ledger, stays (`hosts:promote` is for one that is
    lost). From a machine of yours goes what deployer put there, packages stay; one on this machine is deleted, which
    needs root. Cut off, it can be typed again; where another command comes first, the host stays."""
    from deployer.operations.hosts import remove as operation

    shell: Shell = ctx.obj
    name = space_of(shell, space)
    refuse_in_aws(shell, name, "hosts:remove")
    if pointer_to(shell, name).kind == "ssh":
        from deployer.cli import rented

        rented.remove(shell, name, host)
        return
    sandbox = _sandbox(name, "hosts:remove", host, "--space", name)
    with open_named(shell, name) as found:
        operation(found, sandbox, host, shell.tell)


def promote(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST", help="As `deployer hosts` names it.")],
    space: options.Space = None,
    confirmation: options.Confirm = None,
) -> None:
    """Make another host the first one, when the first one is lost.

    The first host has the ledger, unless --store put it elsewhere, and the databases. Of the ledger another host has a
    copy with all that was acknowledged: it goes on from there, and dynos of the lost host start on others. Databases on
    the lost host are named first.

    It is refused while the first host answers, and while any other one that counts does not. What cuts it off is no
    harm: type it again. The old first host, if it returns, is a host like others: its ledger is set aside."""
    from deployer.operations.promote import Ways
    from deployer.operations.promote import promote as operation

    shell: Shell = ctx.obj
    name = space_of(shell, space)
    refuse_in_aws(shell, name, "hosts:promote")

    ways = Ways(shell.dialler, shell.opening, absence_of(shell).leave_out)

    def approve(plan: Plan) -> None:
        shell.output.say("\n".join(promotion_lines(plan)))
        confirm(shell, name, confirmation, f"This will make {host} the first host of {name}, for all who use it.")

    operation(pointer_to(shell, name), host, ways, approve, shell.tell)
    shell.output.say(f"{host} is the first host of {name}.")


def promotion_lines(plan: Plan) -> list[str]:
    """What would be lost."""
    lost, last = plan.lost.id, plan.last
    lines = [f"=== {plan.host.id} in the place of {lost}, which does not answer"]
    if plan.addons:
        lines.append(f"Databases on {lost}, gone unless it returns:")
        lines += [f"  {addon.name} of ⬢ {addon.app} ({addon.service}:{addon.plan})" for addon in plan.addons]
    else:
        lines.append(f"No database is on {lost}.")
    if last is not None:
        of = f" of ⬢ {last.app}" if last.app else ""
        lines.append(f"The last thing that the ledger knows: `{last.what}`{of}, {last.who}, {last.at}.")
    if plan.url != plan.space.url:
        lines.append(f"Apps answer at {plan.url.replace('{app}', 'APP')} from then on.")
    if plan.without:
        lines.append(f"{', '.join(plan.without)} is left out too: what only it knows of the last changes is lost.")
    if plan.doubtful:
        lines.append(
            f"The copy is that of {plan.doubtful}, whose router takes no requests: was it left out? Then it is old."
        )
    return [*lines, "What was written to it later, and acknowledged to nobody, is lost.", ""]


def _sandbox(space: str, *words: str) -> Sandbox:
    from deployer.spaces.sandbox.sandbox import check_machine

    sandbox = operations.sandbox_of(space)
    check_machine(*words)
    return sandbox


def reboot(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[HOST]...", help="All, where none is named.")] = None,
    space: options.Space = None,
) -> None:
    """Reboot hosts, one after another.

    Each is shut down properly and boots again with its dynos; the next one follows when it takes requests."""
    shell: Shell = ctx.obj
    operations.reboot(space_of(shell, space), names or [], shell.tell, shell.person)


def roll(
    ctx: typer.Context,
    space: options.Space = None,
    hosts: Annotated[
        list[str] | None, typer.Option("--host", metavar="ID", help="This one, whatever it is; repeatable.")
    ] = None,
    yes: space_options.Yes = False,
) -> None:
    """Replace the hosts of a space in AWS, one after another, by new ones.

    Those whose image, size or settings are not what AWS would start a new one from; or those that --host names. First
    one more comes and serves, then the old one hands its dynos to the others, finishes its requests and goes: with a
    load balancer no request is lost. Where a host's own address is the front, open connections break. Cut off, it can
    be typed again: there is never more than one host too many."""
    shell: Shell = ctx.obj
    name = space_of(shell, space)
    if not is_in_aws(shell, name):
        raise NotInAws(name, "`deployer hosts:add` and `deployer hosts:remove` replace its hosts.")
    from deployer.cli import cloud_roll

    cloud_roll.roll(shell, name, hosts or (), yes=yes)
