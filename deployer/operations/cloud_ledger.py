"""The ledger of a space in AWS, for commands that open nothing else of it."""

from __future__ import annotations

from deployer.operations.session import whoami
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.furnish import address_of
from deployer.spaces.aws.record import Record
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store


def store_of(account: Account, known: Record) -> S3Store | None:
    """The bucket that it lies in; None where none is noted."""
    bucket = known.bucket or known.outputs.get("bucket")
    return S3Store(address_of(account, bucket)) if bucket else None


def ledger_of(account: Account, known: Record) -> Ledger | None:
    """It; None where there is none yet."""
    store = store_of(account, known)
    return Ledger(store, whoami()) if store else None
