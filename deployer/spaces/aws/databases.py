"""The instances of RDS that add-ons have to themselves: what AWS says of each, which is more than anybody has noted.

They are found by their tags: the engine does not wait for one that AWS makes, so that no output of a run names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deployer.model.moment import spelled
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import carries, pages
from infra.names import OWN

NAME = "deployer:name"  # the tag that says what it is called in the program
LOGICAL = "database-"  # what that begins with, before the add-on's name
# In which an instance takes connections (RDS User Guide, `Viewing Amazon RDS DB instance status`); of a new one the
# first backup is made before it is `available`.
SERVING = ("available", "backing-up", "storage-optimization")


@dataclass(frozen=True, slots=True)
class OwnInstance:
    """One of them. `status` is AWS's word; `address` is empty before it has one, and `secret`, the ARN of its master's
    password, where AWS keeps none: an instance that was restored gets it afterwards. Automatic backups are kept for
    `retention` days; `latest` is the last moment that it can be brought back to, None before its first backup."""

    addon: str
    identifier: str
    status: str
    version: str
    storage: int
    address: str = ""
    port: int = 0
    secret: str = ""
    retention: int = 0
    created: datetime | None = None
    latest: datetime | None = None

    def earliest(self, now: datetime) -> datetime | None:
        """The first moment that it can be brought back to, about: RDS says the last one alone."""
        if self.created is None or self.latest is None:
            return None
        return min(max(self.created, now - timedelta(days=self.retention)), self.latest)

    @property
    def is_there(self) -> bool:
        """Whether it takes connections."""
        return self.status in SERVING and bool(self.address)


def own(account: Account, space: str) -> list[OwnInstance]:
    """Those of a space, by the names of their add-ons."""
    with asking():
        found = [
            _read(one)
            for one in pages(account.client("rds"), "describe_db_instances", "DBInstances")
            if one["DBInstanceIdentifier"].startswith(f"{OWN}-") and carries(one.get("TagList") or [], space)
        ]
    return sorted(found, key=lambda one: one.addon)


def of_addon(account: Account, space: str, addon: str) -> OwnInstance | None:
    """The one of an add-on, if AWS has it."""
    return next((one for one in own(account, space) if one.addon == addon), None)


def instance(account: Account, identifier: str) -> OwnInstance:
    """Any of RDS's, the one that the space's databases share among them."""
    with asking():
        found = account.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return _read(found[0])


def _read(one: Mapping[str, Any]) -> OwnInstance:
    tags = {tag["Key"]: tag["Value"] for tag in one.get("TagList") or []}
    endpoint = one.get("Endpoint") or {}
    return OwnInstance(
        tags.get(NAME, "").removeprefix(LOGICAL),
        one["DBInstanceIdentifier"],
        one["DBInstanceStatus"],
        str(one["EngineVersion"]),
        one["AllocatedStorage"],
        endpoint.get("Address", ""),
        endpoint.get("Port", 0),
        (one.get("MasterUserSecret") or {}).get("SecretArn", ""),
        one.get("BackupRetentionPeriod", 0),
        one.get("InstanceCreateTime"),
        one.get("LatestRestorableTime"),
    )


def keep_password(account: Account, identifier: str) -> None:
    """Have AWS make and keep the password of its master, as it does from the start of one that is not restored."""
    with asking():
        account.client("rds").modify_db_instance(
            DBInstanceIdentifier=identifier, ManageMasterUserPassword=True, ApplyImmediately=True
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One that RDS keeps of such an instance, also when that is gone: of which add-on and app, what the database in it
    is called, and how many GB it wants."""

    name: str
    addon: str
    app: str
    database: str
    created: str
    gigabytes: int
    is_automatic: bool


def snapshots(account: Account, space: str) -> list[Snapshot]:
    """Those of a space, the newest first."""
    with asking():
        found = [
            _snapshot(one)
            for one in pages(account.client("rds"), "describe_db_snapshots", "DBSnapshots")
            if one["DBInstanceIdentifier"].startswith(f"{OWN}-") and carries(one.get("TagList") or [], space)
        ]
    return sorted(found, key=lambda one: one.created, reverse=True)


def _snapshot(one: Mapping[str, Any]) -> Snapshot:
    tags = {tag["Key"]: tag["Value"] for tag in one["TagList"]}
    created = one.get("SnapshotCreateTime")
    return Snapshot(
        one["DBSnapshotIdentifier"],
        tags.get(NAME, "").removeprefix(LOGICAL),
        tags.get("deployer:app", ""),
        tags.get("deployer:database", ""),
        spelled(created) if created else "",
        one["AllocatedStorage"],
        one.get("SnapshotType") == "automated",
    )
