"""What the state bucket says of a space: its specification, and what it is pinned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deployer.model.space import StoreAddress
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.bootstrap import State
from deployer.store import keys, record
from deployer.store.base import Get, Put
from deployer.store.s3 import S3Store
from infra.resources import MAJOR
from infra.spec import Spec


@dataclass(frozen=True, slots=True)
class Record:
    """`space` in the state bucket. `account` is the only one that the space may be changed in; `images` are the AMIs
    that its hosts start from, by architecture; `postgres` is the database's major version; `outputs` are those of the
    last run that ended well; `boundary` is the ARN of the policy that the role of its hosts cannot go beyond, or
    empty; `bucket` is what the bucket of its store is called, empty before the first run that makes one."""

    name: str
    spec: Spec
    account: str
    tool: str
    images: dict[str, str] = field(default_factory=dict)
    postgres: int = MAJOR
    outputs: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    bucket: str = ""
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Pins:
    """Pins that are to move: images by architecture, the database's major version; what is not named stays."""

    images: Mapping[str, str] = field(default_factory=dict)
    postgres: int | None = None

    def onto(self, known: Record) -> Record:
        """The record with them."""
        return replace(known, images={**known.images, **self.images}, postgres=self.postgres or known.postgres)


NO_PINS = Pins()


def store_of(account: Account, state: State) -> S3Store:
    """The state bucket as a store: for the record, and for the lease of whoever changes the space."""
    return S3Store(StoreAddress(state.bucket, "", account.endpoint, account.region))


def load(store: S3Store) -> Record | None:
    """The record, if there is one yet."""
    return record.found(Record, store.batch([Get(keys.SPACE)]).answers[0])


def save(store: S3Store, value: Record) -> None:
    """Write it; whoever does holds the space's lease."""
    store.batch([Put(keys.SPACE, record.dump(value))])
