"""The instances of RDS that add-ons have to themselves: what AWS says of each, which is more than anybody has noted.

They are found by their tags: the engine does not wait for one that AWS makes, so that no output of a run names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import carries, pages
from infra.names import OWN

NAME = "deployer:name"  # the tag that says what it is called in the program
LOGICAL = "database-"  # what that begins with, before the add-on's name
AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class OwnInstance:
    """One of them. `status` is AWS's word; `address` is empty before it has one, and `secret`, the ARN of its master's
    password, where AWS keeps none: an instance that was restored gets it afterwards. `latest` is the
    last time that it can be brought back to, as ISO 8601, empty before its first backup."""

    addon: str
    identifier: str
    status: str
    version: str
    storage: int
    address: str = ""
    port: int = 0
    secret: str = ""
    retention: int = 0
    latest: str = ""

    @property
    def is_there(self) -> bool:
        """Whether it takes connections."""
        return self.status == AVAILABLE and bool(self.address)


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


def _read(one: Mapping[str, Any]) -> OwnInstance:
    tags = {tag["Key"]: tag["Value"] for tag in one["TagList"]}
    endpoint, latest = one.get("Endpoint") or {}, one.get("LatestRestorableTime")
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
        f"{latest:%Y-%m-%dT%H:%M:%SZ}" if latest else "",
    )
