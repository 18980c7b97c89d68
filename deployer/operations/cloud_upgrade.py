"""Moves what a space in AWS is pinned to: the image that its hosts start from, and its databases' major version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deployer.errors.cloud import NoDatabase, SpaceNotMade, VersionUnavailable
from deployer.operations import cloud
from deployer.operations.cloud_proposal import Proposal
from deployer.spaces.aws import databases, newer
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.newer import Postgres
from deployer.spaces.aws.record import Pins, Record
from deployer.spaces.aws.tools import Tools
from infra.resources import MAJOR, SYSTEM
from infra.sizes import HOSTS


@dataclass(frozen=True, slots=True)
class Move:
    """One pin that moves. `seen` and `found` are what AWS calls the two, where it does. `back`: to what runs, since RDS
    refused to move the database."""

    noun: str
    what: str
    before: str
    after: str
    seen: str = ""
    found: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What is newer, and what `up` would change then. `postgres` is what runs, None where there is no database."""

    moves: tuple[Move, ...]
    proposal: Proposal
    postgres: Postgres | None


def look(tools: Tools, name: str, region: str, major: int | None = None) -> Upgrade:
    """What could be newer; of the database to `major`, or to the one that new spaces get. Changes nothing.
    SpaceNotMade, NoDatabase, VersionUnavailable."""
    known = cloud.info(tools, name, region)
    if not known.outputs:
        raise SpaceNotMade(name, known.account, region)
    account = tools.account(region)
    postgres = _running(account, known)
    if major is not None and postgres is None:
        raise NoDatabase(name)
    images = _image(account, known)
    wanted = _major(name, known, postgres, major)
    pins = Pins({one.what: one.after for one in images}, wanted)
    moves = (*(_named(account, one) for one in images), *_database(known, postgres, wanted))
    return Upgrade(moves, cloud.preview(tools, name, None, region, pins), postgres)


def _running(account: Account, known: Record) -> Postgres | None:
    """What the databases run; the oldest counts, where an upgrade has reached only some of them."""
    shared = [known.outputs["database"].partition(".")[0]] if "database" in known.outputs else []
    own = [one.identifier for one in databases.own(account, known.name) if one.addon in known.spec.addons]
    found = [newer.postgres(account, one) for one in (*shared, *own)]
    return min(found, key=lambda one: one.major, default=None)


def _image(account: Account, known: Record) -> list[Move]:
    """Of the architecture that the hosts have: `what` is that."""
    architecture = HOSTS[known.spec.hosts.size].architecture
    before, after = known.images.get(architecture, ""), newer.image(account, architecture)
    return [Move("hosts", architecture, before, after)] if before != after else []


def _named(account: Account, move: Move) -> Move:
    called = newer.names(account, (move.before, move.after))
    seen, found = (called.get(one, "") for one in (move.before, move.after))
    return replace(move, what=f"{SYSTEM}, {move.what}", seen=seen, found=found)


def _database(known: Record, postgres: Postgres | None, wanted: int) -> list[Move]:
    if postgres is None or wanted == known.postgres:
        return []
    return [Move("database", "PostgreSQL", str(known.postgres), str(wanted), back=wanted == postgres.major)]


def _major(name: str, known: Record, postgres: Postgres | None, major: int | None) -> int:
    """The pin that is wanted. Back to what runs is a way, too, where an upgrade was noted and RDS refused it."""
    if postgres is None:
        return known.postgres
    possible = (postgres.major, *postgres.majors)
    if major is not None and major not in possible:
        there = ", ".join(map(str, postgres.majors)) or "none"
        raise VersionUnavailable(name, postgres.version, major, there)
    return major or (MAJOR if MAJOR in postgres.majors and known.postgres < MAJOR else known.postgres)
