"""`addons:create` and `addons:destroy` of own databases: what they cost and change in AWS is shown, and asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from deployer.addons.catalog import find
from deployer.cli import cloud_change
from deployer.cli.cloud import tools_of
from deployer.cli.shell import Shell
from deployer.errors.own_databases import BadTime, NotOfThisPlan, SeveralOrigins
from deployer.model.addon import Addon
from deployer.operations import cloud_change as changes
from deployer.operations import own_databases as operations
from deployer.operations.addons import Created, check_kind

if TYPE_CHECKING:
    from deployer.operations.own_origins import Source
    from deployer.operations.session import OpenSpace


@dataclass(frozen=True, slots=True)
class Options:
    """The add-on's name and its attachment's, and what goes with own databases alone."""

    name: str | None = None
    alias: str | None = None
    fork: str | None = None
    rollback: str | None = None
    to: str | None = None
    snapshot: str | None = None
    wait: bool = False

    def refuse(self, plan: str) -> None:
        """NotOfThisPlan where something was given, and the plan is no instance of its own."""
        given = {"--fork": self.fork, "--rollback": self.rollback, "--to": self.to, "--snapshot": self.snapshot}
        for option, value in {**given, "--wait": self.wait}.items():
            if value:
                raise NotOfThisPlan(option, plan)

    def source(self, space: OpenSpace, app: str, now: datetime) -> Source | None:
        """What the database is filled from, if that is something; SeveralOrigins, BadTime."""
        from deployer.operations import own_origins

        given = {"--fork": self.fork, "--rollback": self.rollback, "--snapshot": self.snapshot}
        options = [option for option, value in given.items() if value]
        if len(options) > 1 or (self.to and not self.rollback):
            raise SeveralOrigins(", ".join([*options, *["--to"][: bool(self.to)]]))
        if self.rollback and not self.to:
            raise BadTime("")
        if self.snapshot:
            return own_origins.from_snapshot(space, app, self.snapshot)
        if argument := self.fork or self.rollback:
            return own_origins.from_database(space, app, argument, self.to, now)
        return None


def create(shell: Shell, space: OpenSpace, app: str, service: str, options: Options, *, yes: bool) -> None:
    """Have AWS make it, after a preview and a question; finish it where it is there when that returns."""
    check_kind(space, *find(service))
    source = options.source(space, app, shell.now())
    addon = operations.draft(space, app, service, name=options.name, alias=options.alias, source=source)
    if space.ledger.addon(addon.name):
        shell.output.say(f"Going on with {addon.name}, which an earlier command has begun.")
    own, typed = operations.instance_of(addon), f"addons:create {service} --name {addon.name} -a {app}"
    found = cloud_change.agreed(shell, space.space.name, typed, lambda spec: spec.having(own), yes=yes)
    operations.begin(space, addon, shell.tell.briefly)
    if not found.is_nothing:
        leave = None if options.wait else lambda: operations.status_of(space, addon) != ""
        changes.carry_out(tools_of(shell), found, shell.tell, leave)
    if options.wait:
        made = operations.wait(space, app, shell.tell, addon.name)
    else:
        made = operations.meet(space, app, shell.tell)
    tell_made(shell, made)
    if addon.name not in [one.addon.name for one in made]:
        shell.output.print(f"Created {addon.name}, which is being provisioned")
        shell.output.say("The database should be available in 5 to 10 minutes, as a release with its config vars then.")
        shell.output.say(f"Use deployer pg:wait -a {app} to wait for it, deployer addons:info {addon.name} to look.")


def tell_made(shell: Shell, made: Sequence[Created]) -> None:
    """What has been finished."""
    for one in made:
        config_vars = ", ".join(f"{name}_{suffix}" for name in one.attachments for suffix in one.addon.config)
        shell.output.print(f"Created {one.addon.name} as {config_vars}, v{one.release.number}")


def destroy(shell: Shell, space: OpenSpace, addon: Addon, flag: str | None, *, keep: bool) -> None:
    """Delete it in AWS, after a preview and the app's name; a last snapshot stays, or with no `keep` nothing."""
    end = "A last snapshot of it stays, and is billed." if keep else "No snapshot and no backup of it stays."
    warning = f"This will delete {addon.name} of {shell.output.app_err(addon.app)} and all data in it. {end}"
    typed = f"addons:destroy {addon.name} -a {addon.app}{'' if keep else ' --delete-data'}"
    found = cloud_change.confirmed(
        shell, space.space.name, typed, lambda spec: spec.lacking(addon.name), warning, addon.app, flag, keep=keep
    )
    operations.leave(space, addon, shell.tell.briefly)
    if not found.is_nothing:
        changes.carry_out(tools_of(shell), found, shell.tell)
    operations.forget(space, addon, shell.tell.briefly)
    if keep:
        shell.output.say(f"`deployer pg:snapshots -a {addon.app}` lists what is kept of it.")
