"""Pulumi's own lock of a space's state: who holds it, and whether that one may still be at work.

It has no end: a run that was killed leaves it. Its holder may outlive the deployer that began it, and writes then
without any lease.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployer.errors.cloud import PulumiElsewhere, PulumiRuns
from deployer.spaces.aws.account import Account, code_of
from deployer.spaces.aws.bootstrap import State

STATES = "pulumi"  # the prefix of Pulumi's state in the bucket
LONGEST = 3600  # seconds that what runs in AWS takes: a database may take 40 minutes


@dataclass(frozen=True, slots=True)
class PulumiLock:
    """Pulumi's lock of the state: `since` as Pulumi writes it."""

    key: str
    user: str
    host: str
    pid: int
    since: str

    @property
    def is_here(self) -> bool:
        """Whether its holder is a process of this machine, alive."""
        return self.host == socket.gethostname() and is_pulumi(self.pid)

    def age(self, now: datetime) -> float:
        """Seconds; without end where it does not say."""
        try:
            since = datetime.fromisoformat(self.since.replace("Z", "+00:00"))
        except ValueError:
            return float("inf")
        return (now - (since if since.tzinfo else since.replace(tzinfo=UTC))).total_seconds()


def locks(account: Account, state: State) -> tuple[PulumiLock, ...]:
    """Those that there are. Use it inside `asking`."""
    client = account.client("s3")
    prefix = f"{STATES}/.pulumi/locks/"
    found = client.list_objects_v2(Bucket=state.bucket, Prefix=prefix).get("Contents", [])
    bodies = ((str(one["Key"]), _body(client, state.bucket, one["Key"])) for one in found)
    return tuple(_lock(key, body) for key, body in bodies if body is not None)


def refuse_live(space: str, held: Iterable[PulumiLock], now: datetime) -> None:
    """PulumiRuns, PulumiElsewhere: where breaking a lock could let two write at once."""
    for one in held:
        if one.is_here:
            raise PulumiRuns(space, one.pid, one.since)
        if one.host != socket.gethostname() and one.age(now) < LONGEST:
            raise PulumiElsewhere(space, one.user, one.host, one.pid, one.since)


def is_pulumi(pid: int) -> bool:
    """Whether this is a process of this machine that lives, and a `pulumi`."""
    if not Path("/proc/self").exists():
        words = ["ps", "-p", str(pid), "-o", "comm="]
        said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        return Path(said.strip()).name == "pulumi"
    try:
        name, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rsplit(")", 1)
    except OSError:
        return False
    return name == "pulumi" and rest.split()[0] != "Z"  # one that has ended, and nobody has asked how


def _body(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """None where it has gone since somebody looked."""
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        return found
    except ClientError as error:
        if code_of(error) != "NoSuchKey":
            raise
        return None


def _lock(key: str, body: dict[str, Any]) -> PulumiLock:
    return PulumiLock(
        key, body.get("username", ""), body.get("hostname", ""), body.get("pid", 0), body.get("timestamp", "")
    )
