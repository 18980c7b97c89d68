"""`spaces:upgrade`: what is newer than what a space is pinned to, and what moving there means, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployer.cli.cloud_stops import STAYS
from deployer.operations.cloud_upgrade import Move, Upgrade
from deployer.spaces.aws.newer import Postgres

MEANS = {
    "hosts": (STAYS, "Afterwards `hosts:roll` is offered, which replaces those that run, one after the other."),
    "database": (
        "RDS makes a snapshot of it and moves it at once. It does not answer meanwhile: some minutes, longer where it",
        "has many tables; apps get errors. There is no way down: the way back is that snapshot, without what is",
        "written later. Let the apps run against that version elsewhere first; afterwards, type `ANALYZE` in every",
        "database.",
    ),
}
BACK = ("RDS has not moved it: this takes back what was noted, and the database stays as it is.",)


def lines(found: Upgrade) -> list[str]:
    """The screen: what moves, from where to where, and what that means; then what does not."""
    where = found.proposal
    head = f"=== {where.name} in AWS, {where.after.region}, account {where.account}"
    told = [line for move in found.moves for line in ("", *_move(move))]
    return [head, *(told[1:] or ["Nothing is newer than what it is pinned to."]), *_stays(found)]


def _move(move: Move) -> Iterator[str]:
    yield f"{move.noun.capitalize()}: {move.what}"
    yield f"  {_called(move.before, move.seen)} -> {_called(move.after, move.found)}"
    yield from (f"  {line}" for line in _means(move))


def _means(move: Move) -> tuple[str, ...]:
    return BACK if move.back else MEANS[move.noun]


def _called(pin: str, name: str) -> str:
    return f"{pin} ({name})" if name else pin or "none"


def _stays(found: Upgrade) -> list[str]:
    if found.postgres is None:
        return []
    told = [f"Minor versions are no pins: AWS moves them by itself; PostgreSQL {found.postgres.version} runs."]
    if others := _others(found, found.postgres):
        told.append(f"RDS can bring it to {', '.join(map(str, others))}, too: --postgres {others[-1]}.")
    return ["", *told]


def _others(found: Upgrade, postgres: Postgres) -> list[int]:
    chosen = [one.after for one in found.moves if one.noun == "database"]
    return [one for one in postgres.majors if str(one) not in chosen]


def as_json(found: Upgrade) -> dict[str, Any]:
    """`pins` are those that would move; `running` is the PostgreSQL that runs, null where there is none."""
    return {
        "space": found.proposal.name,
        "account": found.proposal.account,
        "region": found.proposal.after.region,
        "pins": [
            {
                "noun": one.noun,
                "what": one.what,
                "from": one.before,
                "to": one.after,
                "means": " ".join(_means(one)),
            }
            for one in found.moves
        ],
        "running": found.postgres.version if found.postgres else None,
        "possible": list(found.postgres.majors) if found.postgres else [],
        "changes": list(found.proposal.changes or ()),
    }
