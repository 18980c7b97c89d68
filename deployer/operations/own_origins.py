"""What an own database is filled from: another database as it is or was, or a snapshot that RDS keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.errors.own_databases import BadTime, NoBackupYet, SnapshotUnknown, TimeOutside
from deployer.model.addon import Addon
from deployer.model.moment import spelled
from deployer.operations.managed_databases import account_of, record_of
from deployer.operations.own_databases import being_made, look
from deployer.operations.pg import find_database
from deployer.operations.session import OpenSpace

if TYPE_CHECKING:
    from deployer.spaces.aws.databases import OwnInstance, Snapshot
    from infra.spec import Origin


@dataclass(frozen=True, slots=True)
class Source:
    """`origin` is what RDS fills the new instance from; `database` is what the database in it is called; it wants at
    least so many GB of `storage`."""

    origin: Origin
    database: str
    storage: int


def moment_of(text: str) -> datetime:
    """A moment with its zone, in whole seconds; BadTime."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadTime(text) from error
    if found.tzinfo is None:
        raise BadTime(text)
    return found.astimezone(UTC).replace(microsecond=0)


def from_database(space: OpenSpace, app: str, argument: str, when: str | None, now: datetime) -> Source:
    """The database that `argument` means, as it is, or as it was at a time. One that shares an instance with others
    comes with them; they are dropped from the new one before anybody gets to it. BadTime, TimeOutside, NoBackupYet."""
    from infra.spec import Origin

    wanted = moment_of(when) if when else None
    addon = find_database(space, app, argument).addon
    found = instance_with(space, addon)
    earliest = found.earliest(now)
    if earliest is None or found.latest is None:
        raise NoBackupYet(addon.name, found.status)
    if wanted and not earliest.replace(microsecond=0) <= wanted <= found.latest:
        raise TimeOutside(spelled(wanted), addon.name, spelled(earliest), spelled(found.latest))
    origin = Origin(instance=found.identifier, time=spelled(wanted) if wanted else "")
    return Source(origin, addon.facts["name"], found.storage)


def instance_with(space: OpenSpace, addon: Addon) -> OwnInstance:
    """The instance of RDS that a database is on; DatabaseBeingMade where there is none yet."""
    from deployer.addons.catalog import plan_of
    from deployer.spaces.aws import databases

    if not plan_of(addon).size:
        address = record_of(space).outputs["database"]
        return databases.instance(account_of(space), address.partition(".")[0])
    if (found := look(space, addon)) is None:
        raise being_made(space, addon)
    return found


def from_snapshot(space: OpenSpace, app: str, name: str) -> Source:
    """A snapshot that an own database of the app has left, or has; SnapshotUnknown."""
    from infra.spec import Origin

    known = snapshots(space, app)
    for one in known:
        if one.name == name:
            return Source(Origin(snapshot=name), one.database, one.gigabytes)
    raise SnapshotUnknown(name, app, ", ".join(one.name for one in known) or "none")


def snapshots(space: OpenSpace, app: str) -> list[Snapshot]:
    """Those of an app's own databases, the newest first, those of databases that are gone among them."""
    from deployer.operations.database_hosts import MANAGED
    from deployer.spaces.aws import databases

    if space.space.kind != MANAGED:
        return []
    return [one for one in databases.snapshots(account_of(space), space.space.name) if one.app == app]
