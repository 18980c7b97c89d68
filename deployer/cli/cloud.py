"""What `spaces:create --region`, `up`, `down`, `preview` and `spaces:info` say and ask about spaces in AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from deployer.cli import bills, cloud_domain, cloud_inside
from deployer.cli.cloud_preview import as_json, print_proposal
from deployer.cli.cloud_release import Coming
from deployer.cli.confirm import confirm
from deployer.cli.resolve import proposals
from deployer.cli.shell import Shell
from deployer.errors.apps import SpaceUnknown
from deployer.errors.cloud import AgreementNeeded, NotAgreed, OptionsBroken, SpaceNotMade
from deployer.errors.preview import SpecificationBroken
from deployer.errors.spaces import SpaceExists
from deployer.model.space import StoreAddress
from deployer.operations import cloud, prices
from deployer.operations.cloud_domains import tidying
from deployer.operations.cloud_hosts import await_hosts
from deployer.operations.cloud_inside import Inside
from deployer.operations.cloud_inside import look as look_inside
from deployer.operations.cloud_proposal import Alter, Departure, Proposal
from deployer.operations.outside import Front
from deployer.spaces.aws.domain import Domain
from deployer.spaces.aws.furnish import address_of
from deployer.spaces.aws.record import Record
from deployer.spaces.aws.tools import Tools, of_this_machine
from infra.bill import bill
from infra.read import parse
from infra.spec import Spec

CHANGES = 2  # the exit status of `preview --detailed-exitcode` where something would change
SNAPSHOT = "rds/backup"  # the price of a GB a month


def preview(shell: Shell, name: str, *, json: bool, detailed: bool) -> None:
    """Show what `up` would change."""
    spec = described(shell, name)
    found = cloud.preview(tools_of(shell), name, spec, region_of(shell, name, spec), alter=_tidied(shell, name, spec))
    if json:
        shell.output.json(as_json(found, prices.load()))
    else:
        print_proposal(shell.output, found, prices.load())
    if detailed and not found.is_nothing:
        raise typer.Exit(CHANGES)


def create(shell: Shell, name: str, options: dict[str, Any], *, yes: bool) -> None:
    """Make a space as the options describe it."""
    if name in shell.pointers.names():
        raise SpaceExists(name)
    try:
        spec = parse(name, options)
    except SpecificationBroken as broken:
        raise OptionsBroken(broken.problems) from broken
    _make(shell, name, spec, spec.region, yes=yes)


def up(
    shell: Shell, name: str, confirmation: str | None, coming: Coming | None, adding: Alter | None = None, *, yes: bool
) -> Front | None:
    """Make the space what deployer.toml says; what it was, where it says nothing; `adding` what an app declares beside
    that. A release that is `coming` is shown, and built meanwhile. What stands before its hosts."""
    spec = described(shell, name)
    region, alter = region_of(shell, name, spec), _tidied(shell, name, spec, adding)
    made = _make(shell, name, spec, region, confirmation, coming, alter, yes=yes)
    front = made.outputs.get("address") or made.outputs.get("dns")
    return Front(front, ends_tls=made.spec.load_balancer) if front else None


def _tidied(shell: Shell, name: str, spec: Spec | None, adding: Alter | None = None) -> Alter:
    """What becomes of a space that is described: without domains that no app has any more, with what is `adding`."""
    tidy = tidying(lambda: ledger_of(shell, name))

    def alter(known: Spec) -> Spec:
        found = tidy((spec or known).keeping(known))
        return adding(found) if adding else found

    return alter


def _make(
    shell: Shell,
    name: str,
    spec: Spec | None,
    region: str,
    confirmation: str | None = None,
    coming: Coming | None = None,
    alter: Alter | None = None,
    *,
    yes: bool,
) -> Record:
    tools = tools_of(shell)
    found = cloud.preview(tools, name, spec, region, alter=alter)
    if found.is_nothing and found.known:
        cloud.remember(tools, found)
        await_hosts(tools.account(region), found.known, shell.tell, tools.arrival)
        shell.output.say(f"Nothing to do: {name} is as it should be.")
        print_record(shell, found.known, found.domain)
        return found.known
    return _do(shell, tools, found, confirmation, coming, yes=yes)


def _do(
    shell: Shell,
    tools: Tools,
    found: Proposal,
    confirmation: str | None = None,
    coming: Coming | None = None,
    *,
    yes: bool,
) -> Record:
    print_proposal(shell.output, found, prices.load(), to=shell.output.say)
    if coming:
        for line in ["", *coming.foresee(tools.account(found.after.region), found), ""]:
            shell.output.say(line)
    if found.gone:  # a `--yes` that somebody has in a script is not meant for that
        confirm(shell, found.name, confirmation, f"This will delete the database of {found.name}.")
    else:
        agree(shell, found.name, f"Do this in the account {found.account}?", yes=yes)
    if coming:
        coming.begin(found)
    made = cloud.up(tools, found, shell.tell)
    await_hosts(tools.account(made.spec.region), made, shell.tell, tools.arrival)
    print_record(shell, made, cloud.so_far(tools, made))
    return made


def print_record(shell: Shell, known: Record, there: Domain | None, inside: Inside | None = None) -> None:
    """What there is, its address and its price, what is inside, and what somebody has to do about its domain."""
    out, found = shell.output, known.outputs
    out.header(known.name)
    out.values(
        {
            "Region": f"{known.spec.region}, account {known.account}",
            "Consists of": f"{known.spec.shape}: {', '.join(known.spec.sizes)}",
            "Address": cloud_domain.url(known),
            **cloud_domain.rows(known, there),
            **({"Database": found["database"]} if "database" in found else {}),
            **_own_databases(known.spec),
            **cloud_domain.added_rows(known),
            **(cloud_inside.rows(inside) if inside else {}),
            "A month": bills.total(bill(known.spec, prices.load())),
        }
    )
    if told := cloud_domain.todo(known, there):
        out.warn(told)


def _own_databases(spec: Spec) -> dict[str, str]:
    """Those that one add-on each has to itself."""
    found = [f"{one.addon}: {one.size}, {one.storage} GB" for one in spec.databases]
    return {"Databases of apps": "\n".join(found)} if found else {}


def info(shell: Shell, name: str, *, json: bool) -> None:
    """What there was when it was last brought up to date, and which hosts and apps are there now."""
    tools = tools_of(shell)
    known = cloud.info(tools, name, region_of(shell, name, None))
    there, inside = cloud.so_far(tools, known), look_inside(tools.account(known.spec.region), known)
    if json:
        told = {"name": name, "kind": "aws", "specification": known.spec, "outputs": known.outputs, "domain": there}
        shell.output.json({**told, **cloud_inside.as_json(inside)})
    else:
        print_record(shell, known, there, inside)


def refresh(shell: Shell, name: str, *, json: bool, detailed: bool) -> None:
    """Show what is not as deployer left it."""
    from deployer.cli import cloud_drift

    found = cloud.drift(tools_of(shell), name, region_of(shell, name, described(shell, name)))
    if json:
        shell.output.json(cloud_drift.as_json(found))
    else:
        for line in cloud_drift.lines(found):
            shell.output.print(line)
    if detailed and found.changes:
        raise typer.Exit(CHANGES)


def unlock(shell: Shell, name: str, *, yes: bool) -> None:
    """Show who may change the space, and take that away."""
    from deployer.operations import cloud_locks

    tools, region = tools_of(shell), region_of(shell, name, described(shell, name))
    found = cloud_locks.look(tools, name, region)
    if found.lease is None and not found.pulumi:
        shell.output.say(f"Nothing of {name} is locked: nobody is changing it.")
        return
    if (held := found.lease) is not None:
        who = f"{held.user} on {held.host}, process {held.pid}, with `{held.command}`"
        shell.output.say(f"The lease of {name} is held by {who}. It ends in {found.left:.0f} s, if it is not renewed.")
    for one in found.pulumi:
        runs = f" It still runs here: `kill -INT {one.pid}` asks it to stop." if one.is_here else ""
        who = f"{one.user} on {one.host}, process {one.pid}"
        shell.output.say(f"Pulumi's lock is held by {who}, since {one.since}.{runs}")
    shell.output.warn("Where that command still runs, two at once can spoil what is known of the space.")
    agree(shell, name, "Take it away?", yes=yes)
    cloud_locks.unlock(tools, name, region)
    shell.output.say(f"Nothing of {name} is locked any more.")


def upgrade(shell: Shell, name: str, major: int | None, *, json: bool, yes: bool) -> None:
    """Move what the space is pinned to, after a preview and a question; with `json` only show it."""
    from deployer.cli import cloud_upgrade
    from deployer.operations.cloud_upgrade import look

    tools = tools_of(shell)
    found = look(tools, name, region_of(shell, name, described(shell, name)), major)
    if json:
        shell.output.json(cloud_upgrade.as_json(found))
        return
    for line in cloud_upgrade.lines(found):
        shell.output.say(line)
    if not found.moves:
        return
    shell.output.say()
    _do(shell, tools, found.proposal, yes=yes)
    from deployer.cli import cloud_roll

    cloud_roll.offer(shell, name, yes=yes)


def export(shell: Shell, name: str, folder: Path) -> None:
    """Write the space as a project of Pulumi's own, and say how to go on there."""
    from deployer.operations import cloud_export

    region = region_of(shell, name, described(shell, name))
    found = cloud_export.export(tools_of(shell), name, region, folder)
    shell.output.say(f"Wrote {name} to {found.folder}: README.md there says how to go on.")
    shell.output.say(f"The passphrase of its state stays in AWS, in the SSM parameter {found.passphrase}.")
    shell.output.warn(f"After the first `pulumi up` there, change {name} with deployer no more: its copy would be old.")


def down(shell: Shell, name: str, confirmation: str | None, *, keep: bool | None) -> None:
    """Take a space down: it names what goes, and wants the space's name typed."""
    spec = described(shell, name)
    tools = tools_of(shell)
    found = cloud.departure(tools, name, region_of(shell, name, spec))
    confirm(shell, name, confirmation, _warning(found, keep=keep is not False))
    kept = cloud.down(tools, found, shell.tell, keep=keep is not False)
    price = prices.load().find(found.region, SNAPSHOT)
    for one in kept:
        costs = f"${one.gigabytes * price.usd:.2f} a month at most" if price else f"its price is {bills.UNKNOWN}"
        shell.output.say(f"Kept: {one}, {one.gigabytes} GB, {costs}.")
    shell.output.say(f"Nothing else of {name} is left in AWS." if kept else f"Nothing of {name} is left in AWS: $0.00.")


def _warning(found: Departure, *, keep: bool) -> str:
    """What goes, what stays, and what would stop it."""
    others = [cloud.IN_THE_WAY, *(f"  {one}" for one in found.foreign)] if found.foreign else []
    return "\n".join([_farewell(found, keep=keep), *_inhabitants(found), *others])


def _inhabitants(found: Departure) -> list[str]:
    """Whose end it is."""
    if not found.apps:
        return [] if found.apps is None else ["There is no app in it."]
    data = f", and their databases: {', '.join(found.databases)}" if found.databases else ""
    lines = [f"Its apps go with it: {', '.join(found.apps)}{data}."]
    if found.backups and found.backups.count:
        count, newest = found.backups.count, found.backups.newest
        lines.append(f"Backups of databases go too: {count}, the newest of {newest}. Download what you want to keep.")
    return lines


def _farewell(found: Departure, *, keep: bool) -> str:
    text = f"This will take down the space {found.name} in {found.region}, account {found.account}"
    if found.spec is None:
        return f"{text}: whatever AWS still has of it."
    text = f"{text}: {found.spec.shape}."
    databases = [f"the space's own ({found.spec.database.storage} GB)"] if found.spec.database else []
    databases += [f"{one.addon} ({one.storage} GB)" for one in found.spec.databases]
    if not databases:
        return text
    if len(databases) == 1 and found.spec.database:
        what, it, its = f"The database goes with it, {found.spec.database.storage} GB.", "it", "its"
    else:
        what, it, its = f"These databases go with it: {', '.join(databases)}.", "each", "their"
    stays, gone = (
        f"A last snapshot of {it} stays.",
        f"No snapshot and no backup of {it} stays: {its} data is gone for good.",
    )
    return f"{text} {what} {stays if keep else gone}"


def agree(shell: Shell, space: str, question: str, *, yes: bool) -> None:
    """Go on where the answer is yes, or was given beforehand; NotAgreed, AgreementNeeded."""
    if yes:
        return
    if shell.ask is None:
        raise AgreementNeeded(space)
    if shell.ask(f"{question} (yes/no) ").lower() != "yes":
        raise NotAgreed(space)


def described(shell: Shell, name: str) -> Spec | None:
    """What deployer.toml proposes for the space, if it does."""
    found = proposals(shell.folder)
    return parse(name, found[name]) if name in found else None


def region_of(shell: Shell, name: str, spec: Spec | None) -> str:
    """The space's own: what this machine knows counts more than what a folder proposes."""
    if name in shell.pointers.names():
        known = shell.pointers.load(name).store
        if known and known.region:
            return known.region
    if spec is None:
        raise SpaceUnknown(name, ", ".join(shell.pointers.names()) or "none")
    return spec.region


def ledger_of(shell: Shell, name: str) -> StoreAddress | None:
    """Where the ledger of a space is, also of one that this machine does not know yet; None where there is none."""
    tools, region = tools_of(shell), region_of(shell, name, described(shell, name))
    try:
        known = cloud.info(tools, name, region)
    except SpaceNotMade:
        return None
    return address_of(tools.account(region), known.bucket) if known.bucket else None


def tools_of(shell: Shell) -> Tools:
    """What makes things in AWS."""
    return shell.tools() if shell.tools else of_this_machine(shell.env, shell.tell)
