"""The server that databases of a space in AWS are on: RDS runs it, and people's credentials of AWS open it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.addons.provider import Managed, Place
from deployer.errors.base import Failure
from deployer.errors.ledger import SpaceEmpty
from deployer.errors.rds import SpaceWithoutDatabase
from deployer.operations import prices
from deployer.operations.session import OpenSpace
from deployer.store import keys
from deployer.store.base import Get, Put, Stored

if TYPE_CHECKING:
    from deployer.spaces.aws.account import Account
    from deployer.spaces.aws.record import Record


def managed_place(space: OpenSpace) -> Place:
    """The space's server, by way of a host of it; SpaceWithoutDatabase, BundleUnreached."""
    from deployer.spaces.aws import rds
    from deployer.spaces.aws.account import Account

    known = _known(space)
    if not rds.is_there(known):
        raise SpaceWithoutDatabase(known.name, rds.SUGGESTED, _price(known))
    assert space.state and space.state.region, "a pointer to a space in AWS says where its state is"
    account = Account(space.state.region, space.state.endpoint)
    one = rds.master(account, known)
    room = known.spec.database.storage << 30 if known.spec.database else 0
    trusted = authorities(space, account)
    return Place(space.first, Managed(one.address, one.port, one.user, one.password, trusted, room))


def authorities(space: OpenSpace, account: Account) -> str:
    """The certificates that verify it, from the space's store, where hosts that join find them, too."""
    from deployer.spaces.aws import rds

    store = space.ledger.store
    found = store.batch([Get(keys.DATABASE_CA)]).answers[0]
    if isinstance(found, Stored):
        return found.body.decode()
    certificates = rds.download_bundle(account)
    store.batch([Put(keys.DATABASE_CA, certificates.encode())])
    return certificates


def _known(space: OpenSpace) -> Record:
    from deployer.spaces.aws import record
    from deployer.store.s3 import S3Store

    assert space.state
    known = record.load(S3Store(space.state))
    if known is None:
        raise SpaceEmpty
    return known


def _price(known: Record) -> str:
    """What the smallest one costs a month in its region, for a sentence; empty where that is not known."""
    from deployer.spaces.aws.rds import SUGGESTED
    from infra.bill import bill
    from infra.spec import Database

    try:
        found = bill(replace(known.spec, database=Database(SUGGESTED)), prices.load())
    except Failure:
        return ""
    lines = [line.amount for line in found.lines if line.item.noun == "database"]
    amounts = [one for one in lines if one is not None]
    return f" (about ${sum(amounts):.0f} a month)" if len(amounts) == len(lines) else ""
