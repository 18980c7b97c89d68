"""The server that databases of a space in AWS are on: RDS runs it, and people's credentials of AWS open it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.addons.catalog import plan_of
from deployer.addons.provider import Managed, Place
from deployer.errors.base import Failure
from deployer.errors.ledger import SpaceEmpty
from deployer.errors.own_databases import DatabaseBeingMade
from deployer.errors.rds import SpaceWithoutDatabase
from deployer.model.addon import Addon
from deployer.operations import prices
from deployer.operations.session import OpenSpace
from deployer.store import keys
from deployer.store.base import Get, Put, Stored

if TYPE_CHECKING:
    from deployer.spaces.aws.account import Account
    from deployer.spaces.aws.rds import Master
    from deployer.spaces.aws.record import Record
    from infra.spec import Spec


def managed_place(space: OpenSpace, addon: Addon) -> Place:
    """The server that an add-on is on, its own or the space's, by way of a host; SpaceWithoutDatabase,
    DatabaseBeingMade, BundleUnreached."""
    from deployer.spaces.aws import rds

    account, known = account_of(space), record_of(space)
    if plan_of(addon).size:
        one = _own_master(space, account, addon)
    elif rds.is_there(known):
        one = rds.master(account, known)
    else:
        raise SpaceWithoutDatabase(known.name, rds.SUGGESTED, _price(known))
    trusted, room = authorities(space, account), _room(known.spec, addon)
    return Place(space.first, Managed(one.address, one.port, one.user, one.password, trusted, room))


def _room(spec: Spec, addon: Addon) -> int:
    """Bytes of the server that an add-on is on; 0 where nobody knows."""
    own = [one.storage for one in spec.databases if one.addon == addon.name]
    shared = spec.database.storage if spec.database else 0
    return (own[0] if own else shared) << 30


def _own_master(space: OpenSpace, account: Account, addon: Addon) -> Master:
    from deployer.spaces.aws import databases, rds

    found = databases.of_addon(account, space.space.name, addon.name)
    if found is None or not found.address or not found.secret:
        raise DatabaseBeingMade(addon.name, addon.app, found.status if found else "not there")
    return rds.master_at(account, found.address, found.port, found.secret)


def account_of(space: OpenSpace) -> Account:
    """Where a space in AWS is."""
    from deployer.spaces.aws.account import Account

    assert space.state and space.state.region, "a pointer to a space in AWS says where its state is"
    return Account(space.state.region, space.state.endpoint)


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


def record_of(space: OpenSpace) -> Record:
    """What is noted of a space in AWS."""
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
