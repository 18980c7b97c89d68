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
OWN = "deployerdb"  # no name of a space begins with it, so that no pattern of one space's names fits another's
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
OWN_DIGITS = 8  # hex digits that stand for an add-on


def name(space: str, kind: str, suffix: str = "") -> str:
    """What a thing of the space is called, before Pulumi's own digits: lower-case letters, digits and single dashes, a
    letter first. Names of two spaces or with two suffixes differ, however much of them is cut."""
    whole = "-".join(filter(None, (PREFIX, space, suffix)))
    return _fitted(whole, LIMITS[kind] - ADDED)


def last_snapshot(space: str) -> str:
    """What the last snapshot of a database is called that goes now."""
    return name(space, "snapshot", f"{datetime.now(UTC):%Y%m%d-%H%M%S}")


def own_database(space: str, addon: str) -> str:
    """What the RDS instance is called that an add-on has to itself: eight digits say whose it is."""
    digits = hashlib.sha256(addon.encode()).hexdigest()[:OWN_DIGITS]
    return f"{own_databases(space)}-{digits}"


def own_databases(space: str) -> str:
    """What the names of all such instances of a space begin with."""
    return _fitted(f"{OWN}-{space}", LIMITS["database"] - ADDED - OWN_DIGITS - 1)


def own_snapshot(space: str, addon: str, last: str) -> str:
    """What the last snapshot of such a one is called, where `last` is what that of the space's own would be: with as
    many digits as Pulumi gives the database, so that one pattern fits both."""
    digits = hashlib.sha256(last.encode()).hexdigest()[: ADDED - 1]
    return f"{own_database(space, addon)}-{digits}"


def _fitted(whole: str, limit: int) -> str:
    plain = re.sub(r"-+", "-", whole)  # RDS refuses two dashes in a row
    if plain == whole and len(whole) <= limit:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:DIGEST]
    return f"{plain[: limit - DIGEST - 1].rstrip('-')}-{digest}"
