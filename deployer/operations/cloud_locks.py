"""Who may change a space in AWS at the moment: the space's lease, and Pulumi's own lock; and taking both away."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.cloud import SpaceNotMade
from deployer.model.lease import Lease
from deployer.operations.cloud import LEASE
from deployer.spaces.aws import account as accounts
from deployer.spaces.aws import bootstrap, record
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.bootstrap import State
from deployer.spaces.aws.pulumi_lock import PulumiLock, locks
from deployer.spaces.aws.tools import Tools
from deployer.store import lease as leases


@dataclass(frozen=True, slots=True)
class Locks:
    """`lease` is the space's, None where nobody holds it; `left` are the seconds until it ends by itself."""

    lease: Lease | None
    left: float
    pulumi: tuple[PulumiLock, ...]


def look(tools: Tools, name: str, region: str) -> Locks:
    """Who holds what. Changes nothing; SpaceNotMade, AccountRefused."""
    account, state = _state(tools, name, region)
    held = leases.look(record.store_of(account, state), LEASE)
    lease, left = held or (None, 0.0)
    with asking():
        return Locks(lease, left, locks(account, state))


def unlock(tools: Tools, name: str, region: str) -> None:
    """Take both away, for one who knows that nobody changes the space: its holder's next write under it fails."""
    account, state = _state(tools, name, region)
    leases.take_away(record.store_of(account, state), LEASE)
    with asking():
        for one in locks(account, state):
            account.client("s3").delete_object(Bucket=state.bucket, Key=one.key)


def _state(tools: Tools, name: str, region: str) -> tuple[Account, State]:
    account = tools.account(region)
    with asking():
        state = bootstrap.find(account, name)
    if state is None or state.step < len(bootstrap.STEPS):
        raise SpaceNotMade(name, accounts.check(account, name, None), region)
    known = record.load(record.store_of(account, state))
    accounts.check(account, name, known.account if known else None)
    return account, state
