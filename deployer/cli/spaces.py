"""`spaces`, `spaces:create`, `spaces:join`, `spaces:info`, `spaces:start`, `spaces:stop`, `spaces:destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli import options, space_options
from deployer.cli.confirm import confirm
from deployer.cli.not_in_aws import refuse_in_aws
from deployer.cli.resolve import is_in_aws, space_of
from deployer.cli.shell import Shell
from deployer.cli.space_options import refuse_mixed
from deployer.errors.cloud import GoesDown
from deployer.model.platforms import DEFAULT_SYSTEM
from deployer.model.space import StoreAddress
from deployer.operations import spaces as operations
from deployer.operations import stores
from deployer.operations.checkout import remove_remotes
from deployer.operations.spaces import SpaceInfo, Wanted

Name = Annotated[str | None, typer.Argument(metavar="[SPACE]", help="The space.", show_default=False)]


def create(  # noqa: PLR0913 - one command makes every kind of space
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SPACE", help="Lower-case letters, digits and dashes.")],
    hosts: space_options.Count = None,
    platform: space_options.Platform = None,
    port: space_options.Port = None,
    store: options.StoreAt = None,
    endpoint: options.StoreEndpoint = None,
    region: options.StoreRegion = None,
    targets: space_options.Targets = None,
    domain: space_options.Domain = None,
    private: space_options.PrivateAddresses = None,
    keys: options.HostKeys = None,
    confirmation: options.Confirm = None,
    aws_region: space_options.Region = None,
    account: space_options.Account = None,
    size: space_options.Size = None,
    database: space_options.Database = None,
    load_balancer: space_options.LoadBalancer = False,
    budget: space_options.Budget = None,
    email: space_options.Email = None,
    yes: space_options.Yes = False,
) -> None:
    """Create a space on this machine, out of machines that you have, or in AWS.

    On this machine its hosts are systemd machines with a network of their own, apps answer at
    http://APP.localhost:PORT/, and it needs root.

    With --host they are Debian 12, Debian 13 or Ubuntu 24.04 machines, as root or with sudo. ~/.ssh/config, jump
    hosts, the agent and your keys count as for ssh. They are looked at first; what would change is asked about.

    With --region it is in AWS: what would be made and what it costs is shown first.

    The ledger (releases, config vars, leases) lies on the first host, or with --store in a bucket that outlives every
    host: hosts never need to reach it, this machine does, with the credentials that the AWS SDK finds."""
    shell: Shell = ctx.obj
    if aws_region:
        _create_in_aws(ctx, name)
        return
    refuse_mixed("no --region", {option: ctx.params[key] for key, option in space_options.ONLY_IN_AWS.items()})
    address = stores.address(name, store, endpoint, region)
    if not targets:
        refuse_mixed("without --host", {"--domain": domain, "--private-address": private, "--host-key": keys})
        order = Wanted(name, platform or DEFAULT_SYSTEM, hosts or 1, port, address)
        shell.output.print(operations.create(order, shell.tell).app_url("APP"))
        return
    refuse_mixed("--host", {"--hosts": hosts, "--platform": platform, "--port": port})
    _create_rented(ctx, name, address)


def _create_rented(ctx: typer.Context, name: str, address: StoreAddress | None) -> None:
    from deployer.cli import rented
    from deployer.operations.rented import Wanted as Machines

    given = ctx.params
    wanted = Machines(name, tuple(given["targets"]), given["domain"], tuple(given["private"] or ()), address)
    rented.create(ctx.obj, wanted, given["keys"] or (), given["confirmation"])


def _create_in_aws(ctx: typer.Context, name: str) -> None:
    from deployer.cli import cloud

    given = ctx.params
    refuse_mixed("--region", {option: given[key] for key, option in space_options.NEVER_IN_AWS.items()})
    cloud.create(ctx.obj, name, space_options.described(given), yes=given["yes"])


def join(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="USER@ADDRESS", help="The first host of the space.")],
    keys: options.HostKeys = None,
    store: options.StoreAt = None,
    endpoint: options.StoreEndpoint = None,
    region: options.StoreRegion = None,
) -> None:
    """Use a space of rented hosts that another machine has made.

    Whoever can log in to its first host, as root or with sudo, can use it. ~/.ssh/config, jump hosts, the agent and
    your keys count as for ssh. A space that was created with --store is joined with the same."""
    from deployer.cli import rented

    refuse_in_aws(ctx.obj, target, "spaces:join")
    rented.join(ctx.obj, target, keys or (), stores.address("", store, endpoint, region))


def spaces(ctx: typer.Context, as_json: options.Json = False) -> None:
    """List the spaces that this machine knows."""
    shell: Shell = ctx.obj
    found = operations.spaces()
    if as_json:
        shell.output.json([{"name": space.name, "kind": space.kind} for space in found])
    elif not found:
        shell.output.say("There is no space yet: `deployer spaces:create sandbox` makes one on this machine.")
    else:
        shell.output.table(("Name", "Kind"), [(space.name, space.kind) for space in found])


def info(ctx: typer.Context, name: Name = None, space: options.Space = None, as_json: options.Json = False) -> None:
    """Describe a space."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    if is_in_aws(shell, chosen):
        from deployer.cli import cloud

        cloud.info(shell, chosen, json=as_json)
        return
    found = operations.info(chosen, shell.person)
    if as_json:
        shell.output.json(_as_json(found))
        return
    shell.output.header(found.pointer.name)
    shell.output.values(
        {
            "Apps": "not known: the space does not answer" if found.apps is None else "\n".join(found.apps) or "none",
            "Hosts": "\n".join(f"{s.host.id} {s.host.address} ({s.word})" for s in found.hosts),
            "Kind": found.pointer.kind,
            "Platform": found.platform or "not known: the space does not answer",
            "URL": found.url.replace("{app}", "APP"),
            "Folder": found.pointer.folder or "",
            "Store": str(found.pointer.store or f"on {found.pointer.first.id}"),
        }
    )


def start(ctx: typer.Context, name: Name = None, space: options.Space = None) -> None:
    """Start a space again, after this machine was restarted, or repair it."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    refuse_in_aws(shell, chosen, "spaces:start")
    operations.start(chosen, shell.tell)


def stop(ctx: typer.Context, name: Name = None, space: options.Space = None) -> None:
    """Shut a space down; its apps and their data stay."""
    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    refuse_in_aws(shell, chosen, "spaces:stop")
    operations.stop(chosen, shell.tell)


def destroy(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SPACE", help="The space.")],
    confirmation: options.Confirm = None,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Rented hosts: leave databases and the ledger on them.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Rented hosts: forget the space on this machine, touch no host.")
    ] = False,
) -> None:
    """Remove a space with all apps and data in it.

    There is no way back. Nothing of it is left on this machine. Rented hosts stay yours: units, router, firewall,
    files and databases of the space go from them, packages stay."""
    shell: Shell = ctx.obj
    if is_in_aws(shell, name):
        raise GoesDown(name)
    if shell.pointers.load(name).kind == "ssh":
        from deployer.cli import rented

        rented.destroy(shell, name, confirmation, keep_data=keep_data, forget=forget)
    else:
        refuse_mixed("a sandbox", {"--keep-data": keep_data, "--forget": forget})
        inside = operations.inside(name)
        confirm(shell, name, confirmation, f"This will destroy the space {name}: {inside}.")
        operations.destroy(name, shell.tell)
    remove_remotes(shell.folder, name)


def _as_json(info: SpaceInfo) -> dict[str, object]:
    return {
        "name": info.pointer.name,
        "kind": info.pointer.kind,
        "platform": info.platform,
        "url": info.url,
        "folder": info.pointer.folder,
        "store": str(info.pointer.store) if info.pointer.store else None,
        "apps": None if info.apps is None else list(info.apps),
        "hosts": [
            {"name": s.host.id, "seat": s.host.seat, "address": s.host.address, "state": s.word} for s in info.hosts
        ],
    }
