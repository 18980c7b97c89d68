"""Names of things in AWS: they begin with `deployer-SPACE`, and fit what each kind allows.

Pulumi adds a dash and seven digits to names that it may choose, so that a thing can be made beside the one that it
replaces. Limits: the reference of each service's Create call.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

ADDED = 8  # characters by Pulumi
PREFIX = "deployer"
LIMITS = {
    "load-balancer": 32,
    "target-group": 32,
    "database": 63,
    "snapshot": 255,
    "subnet-group": 255,
    "parameter-group": 255,
    "bucket": 63,
    "role": 64,
    "instance-profile": 128,
    "launch-template": 128,
    "group": 255,
    "security-group": 255,
    "budget": 100,
}
DIGEST = 6  # hex digits that tell shortened names apart


def name(space: str, kind: str, suffix: str = "") -> str:
    """What a thing of the space is called, before Pulumi's own digits: lower-case letters, digits and single dashes, a
    letter first. Names of two spaces or with two suffixes differ, however much of them is cut."""
    whole = "-".join(filter(None, (PREFIX, space, suffix)))
    return _fitted(whole, LIMITS[kind] - ADDED)


def last_snapshot(space: str) -> str:
    """What the last snapshot of a database is called that goes now."""
    return name(space, "snapshot", f"{datetime.now(UTC):%Y%m%d-%H%M%S}")


def _fitted(whole: str, limit: int) -> str:
    plain = re.sub(r"-+", "-", whole)  # RDS refuses two dashes in a row
    if plain == whole and len(whole) <= limit:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:DIGEST]
    return f"{plain[: limit - DIGEST - 1].rstrip('-')}-{digest}"
