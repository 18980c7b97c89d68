"""Own databases that app.json declares: `up` makes them together with the space, after its one preview and question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.addons.catalog import find
from deployer.addons.names import new_name
from deployer.addons.provider import Plan, Provider
from deployer.errors.own_databases import DatabaseNotMade
from deployer.errors.store import StoreMissing
from deployer.model.addon import Addon
from deployer.model.app_json import AppJson
from deployer.model.events import Tell
from deployer.model.space import StoreAddress
from deployer.operations import own_databases
from deployer.operations.addons import begun, check_kind, named
from deployer.operations.managed_databases import record_of
from deployer.operations.session import OpenSpace, whoami
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store

if TYPE_CHECKING:
    from deployer.operations.cloud_proposal import Alter
    from infra.spec import OwnDatabase, Spec


def adding(ledger: Callable[[], StoreAddress | None], app: str, described: AppJson) -> Alter | None:
    """What app.json adds to the specification of the app's space; None where it is nothing. `ledger` says where the
    space's is, if there is one."""
    wanted = [found for one in described.addons if (found := find(one.plan))[1].size]
    known = _addons(ledger()) if wanted else ()
    missing = [one for one in wanted if not any(a.app == app and a.service == one[0].service for a in known)]
    drafts = [_draft(provider, plan, app, known) for provider, plan in missing]
    if not drafts:
        return None

    def alter(spec: Spec) -> Spec:
        """One that is there already for the app is that which an `up` that was cut off has begun."""
        there = [one for one in spec.databases if one.app == app and one.addon not in [a.name for a in known]]
        return spec if there else replace(spec, databases=(*spec.databases, *drafts))

    return alter


def _draft(provider: Provider, plan: Plan, app: str, known: tuple[Addon, ...]) -> OwnDatabase:
    from infra.spec import OwnDatabase

    name = new_name(provider.noun, {one.name for one in known})
    storage = plan.limits["storage"] // own_databases.GB
    return OwnDatabase(name, plan.size, storage, None, app, provider.draft()["name"])


def _addons(ledger: StoreAddress | None) -> tuple[Addon, ...]:
    """All of the space; none where it has no store yet."""
    if ledger is None:
        return ()
    try:
        return Ledger(S3Store(ledger), whoami()).addons()
    except StoreMissing:
        return ()


def have(space: OpenSpace, app: str, service_plan: str, alias: str | None, tell: Tell) -> None:
    """Attach the one that `up` has had AWS make; DatabaseNotMade."""
    provider, plan = find(service_plan)
    check_kind(space, provider, plan)
    record = space.ledger.app(app)
    assert record is not None, "`up` has made it"
    addons = space.ledger.addons(app)
    addon = begun(record, addons, plan, provider, None) or _of_specification(space, app, provider, plan, alias)
    own_databases.begin(space, addon, tell)
    own_databases.wait(space, app, tell, addon.name)


def _of_specification(space: OpenSpace, app: str, provider: Provider, plan: Plan, alias: str | None) -> Addon:
    taken = {one.name for one in space.ledger.addons()}
    for one in record_of(space).spec.databases:
        if one.app == app and one.addon not in taken:
            addon = named(space, app, provider, plan, one.addon)
            facts = {**addon.facts, "name": one.database, "size": one.size, "storage": str(one.storage)}
            return replace(addon, facts={**facts, **({"as": alias} if alias else {})})
    raise DatabaseNotMade(provider.service, f"{provider.service}:{plan.name}", app)
