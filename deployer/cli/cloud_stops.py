"""What users of a space notice of a change in AWS: what stops, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.changes import Change
from infra.kinds import DATABASE

STAYS = "Hosts that run stay as they are; those that AWS starts from then on are new."
REPLACED = "What is replaced is not there for a while."
MOVED = "The space gets another address: what leads to the old one leads nowhere."
RESTARTS = "The database restarts: apps are without it for some minutes."
GROWS = "The database serves while its storage grows. Storage never shrinks: AWS refuses that."
PROTECTED = "The database is protected: AWS refuses to replace it."
DELETED = "The database is deleted, with all that apps keep in it. A last snapshot of it stays."
LOST = "The database is deleted, with all that apps keep in it. No snapshot and no backup of it stays."
ADDRESSES = ("Elastic IP", "ALB")
COUNT = "desiredCapacity"
RESTARTING = {"instanceClass", "engineVersion", "parameterGroupName"}


def stops(changes: Sequence[Change], *, keep: bool = True) -> list[str]:
    """A sentence for each thing that is noticed, once. Without `keep` nothing of a database stays that goes."""
    told = dict.fromkeys(line for one in changes for line in _noticed(one))
    return [line if keep or line != DELETED else LOST for line in told]


def _noticed(one: Change) -> Iterator[str]:
    if (one.verb, one.kind) == ("update", "launch template"):
        yield STAYS
    if (one.verb, one.kind) == ("update", "Auto Scaling group"):
        yield from _counted(one)
    if one.kind == DATABASE:
        yield from _of_a_database(one)
    if one.kind in ADDRESSES and one.verb in ("delete", "replace"):
        yield MOVED
    if one.verb == "replace" and one.kind != "certificate":
        yield REPLACED


def _counted(one: Change) -> Iterator[str]:
    for field in one.fields:
        if field.path == COUNT and field.old.isdigit() and field.new.isdigit():
            more = int(field.new) - int(field.old)
            hosts = "1 host" if abs(more) == 1 else f"{abs(more)} hosts"
            yield f"AWS starts {hosts} more." if more > 0 else f"AWS ends {hosts}, and chooses which."


def _of_a_database(one: Change) -> Iterator[str]:
    paths = {field.path for field in one.fields}
    if one.verb == "delete":
        yield DELETED
    elif one.verb == "replace":
        yield PROTECTED
    elif paths & RESTARTING:
        yield RESTARTS
    if "allocatedStorage" in paths:
        yield GROWS
