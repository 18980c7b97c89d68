"""Own databases of apps in AWS: RDS makes the instance, which takes minutes and is not waited for; what comes then,
role, database and release, is done by whatever command meets it first.

The ledger's add-on is written before AWS is asked for anything, and says all that a later command has to know.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.addons.catalog import find, find_provider, plan_of
from deployer.errors.aws import AwsDenied, AwsForbidden
from deployer.errors.own_databases import (
    DatabaseBeingMade,
    DatabaseFailed,
    DatabaseNotMade,
    DatabaseSlow,
)
from deployer.errors.rds import RdsDown
from deployer.model.addon import Addon
from deployer.model.events import Detail, Doing, Done, Tell, Warn
from deployer.model.release import Release
from deployer.operations.addons import (
    DEPROVISIONING,
    PROVISIONING,
    Created,
    attach,
    attachment_names,
    begun,
    check_kind,
    detach,
    named,
    provision,
    resolve,
)
from deployer.operations.apps import state_of
from deployer.operations.change import changing
from deployer.operations.database_hosts import MANAGED
from deployer.operations.managed_databases import account_of
from deployer.operations.session import OpenSpace

if TYPE_CHECKING:
    from deployer.operations.own_origins import Source
    from deployer.spaces.aws.databases import OwnInstance
    from infra.spec import OwnDatabase

GB = 10**9
POLL = 5.0  # seconds between two looks
PATIENCE = 40 * 60.0  # seconds: as long as the real provider waits for one (instance.go, InstanceCreatedTimeout)
# What an instance does not leave by itself (RDS User Guide, `Viewing Amazon RDS DB instance status`).
FAILED = ("failed", "restore-error", "inaccessible-encryption-credentials", "storage-full", "insufficient-capacity")
INCOMPATIBLE = "incompatible-"


def draft(
    space: OpenSpace,
    app: str,
    service_plan: str,
    *,
    name: str | None = None,
    alias: str | None = None,
    source: Source | None = None,
) -> Addon:
    """The add-on that is to be: what a creation that was cut off has left, or a new one. Writes nothing. `source` is
    what it is filled from."""
    provider, plan = find(service_plan)
    check_kind(space, provider, plan)
    state = state_of(space, app)
    if left := begun(state.app, space.ledger.addons(app), plan, provider, name):
        return left
    addon = named(space, app, provider, plan, name)
    attachment_names(provider, alias, app, addon, state.config)  # what is wrong with the alias shows now
    storage = max(source.storage if source else 0, plan.limits["storage"] // GB)
    facts = {**addon.facts, "size": plan.size, "storage": str(storage), "as": alias or ""}
    if source:
        origin = source.origin
        facts |= {"snapshot": origin.snapshot, "instance": origin.instance, "time": origin.time}
        facts |= {"name": source.database}
    return replace(addon, facts={key: value for key, value in facts.items() if value})


def instance_of(addon: Addon) -> OwnDatabase:
    """What an add-on has to itself in AWS."""
    from infra.spec import Origin, OwnDatabase

    facts = addon.facts
    origin = Origin(facts.get("snapshot", ""), facts.get("instance", ""), facts.get("time", ""))
    size, storage = facts["size"], int(facts["storage"])
    return OwnDatabase(addon.name, size, storage, None if origin == Origin() else origin, addon.app, facts["name"])


def begin(space: OpenSpace, addon: Addon, tell: Tell) -> None:
    """Note that it is to be: from now on every command knows of it."""
    with changing(space, addon.app, f"addons:create {addon.plan}", tell, of_dynos=False):
        if space.ledger.addon(addon.name) is None:
            space.ledger.save_addon(addon)


def unfinished(space: OpenSpace, app: str) -> list[Addon]:
    """Those of an app that are on their way, or that a command was cut off at."""
    if space.space.kind != MANAGED:
        return []
    own = [one for one in space.ledger.addons(app) if plan_of(one).size and one.state != DEPROVISIONING]
    record = space.ledger.app(app) if own else None
    attached = {one.addon for one in record.attachments} if record else set()
    return [one for one in own if one.state == PROVISIONING or one.name not in attached]


def meet(space: OpenSpace, app: str, tell: Tell) -> list[Created]:
    """Finish those that RDS has ready, as a release each. What somebody typed for something else does not fail of them:
    where these credentials may not, or RDS has given up or does not answer yet, that is told."""
    found: list[Created] = []
    for one in unfinished(space, app):
        try:
            made = _finish(space, one, tell)
        except (AwsDenied, AwsForbidden, DatabaseFailed, RdsDown) as failure:
            tell(Warn(f"{one.name} is not finished: {failure.paragraphs()[0]}"))
        else:
            found += [made] if made else []
    return found


def wait(
    space: OpenSpace,
    app: str,
    tell: Tell,
    name: str | None = None,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Created]:
    """Wait until those of an app, or the one of that name, are there, and finish them. DatabaseNotMade, DatabaseFailed,
    DatabaseSlow."""
    chosen = resolve(name, state_of(space, app).app, space.ledger.addons(app)).name if name else None
    awaited = [one for one in unfinished(space, app) if chosen in (None, one.name)]
    return [_await(space, one, tell, patience, sleep) for one in awaited]


def _await(space: OpenSpace, addon: Addon, tell: Tell, patience: float, sleep: Callable[[float], None]) -> Created:
    end, said = time.monotonic() + patience, ""
    while (made := _finish(space, addon, tell)) is None:
        status = status_of(space, addon)
        if status == "":
            raise DatabaseNotMade(addon.name, f"{addon.service}:{addon.plan}", addon.app)
        if time.monotonic() > end:
            raise DatabaseSlow(addon.name, addon.app, status, round(patience / 60))
        if status != said:
            tell(Detail(f"{addon.name}: RDS says {status}"))
        said = status
        sleep(POLL)
    return made


def look(space: OpenSpace, addon: Addon) -> OwnInstance | None:
    """What AWS has of it."""
    from deployer.spaces.aws import databases

    return databases.of_addon(account_of(space), space.space.name, addon.name)


def status_of(space: OpenSpace, addon: Addon) -> str:
    """In AWS's word; empty where it has nothing of it."""
    found = look(space, addon)
    return found.status if found else ""


def _finish(space: OpenSpace, addon: Addon, tell: Tell) -> Created | None:
    """Make role and database on one that is there, and attach it; None where it is not yet. DatabaseFailed."""
    found = look(space, addon)
    if found is None or not _is_ready(space, addon, found):
        return None
    provider, plan = find_provider(addon.service), plan_of(addon)
    with changing(space, addon.app, f"addons:create {addon.plan}", tell) as change:
        present = space.ledger.addon(addon.name)
        if present is None or present.state == DEPROVISIONING:
            return None
        names = attachment_names(provider, present.facts.get("as"), addon.app, present, change.state.config)
        tell(Doing(f"Finishing {addon.name} on ⬢ {addon.app}"))
        present = provision(change, provider, plan, present)
        tell(Done())
        return Created(present, plan, names, attach(change, present, names))


def _is_ready(space: OpenSpace, addon: Addon, found: OwnInstance) -> bool:
    """Whether its master can be asked. One that was restored gets the master's password as AWS keeps it afterwards."""
    from deployer.spaces.aws import databases

    if found.status in FAILED or found.status.startswith(INCOMPATIBLE):
        raise DatabaseFailed(addon.name, addon.app, found.status, found.identifier)
    if found.is_there and not found.secret:
        databases.keep_password(account_of(space), found.identifier)
        return False
    return found.is_there


def leave(space: OpenSpace, addon: Addon, tell: Tell) -> Release | None:
    """Take it from its app, as a release: it is to be deleted in AWS then."""
    with changing(space, addon.app, f"addons:destroy {addon.name}", tell) as change:
        present = space.ledger.addon(addon.name)
        return detach(change, present) if present else None


def forget(space: OpenSpace, addon: Addon, tell: Tell) -> None:
    """It is gone in AWS."""
    with changing(space, addon.app, f"addons:destroy {addon.name}", tell, of_dynos=False):
        space.ledger.delete_addon(addon.name)


def being_made(space: OpenSpace, addon: Addon) -> DatabaseBeingMade | DatabaseNotMade:
    """Why its URL is not there."""
    if status := status_of(space, addon):
        return DatabaseBeingMade(addon.name, addon.app, status)
    return DatabaseNotMade(addon.name, f"{addon.service}:{addon.plan}", addon.app)
