"""Where a space's ledger lies when it is not on the first host: claimed, opened, cleared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from deployer.errors.store import StoreAddressBad, StoreMissing
from deployer.model.space import Pointer, StoreAddress
from deployer.operations.session import open_space
from deployer.spaces import pointers
from deployer.store import keys, s3_address
from deployer.store.base import List, Store
from deployer.store.probe import probe
from deployer.store.s3 import S3Store


def address(space: str, text: str | None, endpoint: str | None, region: str | None) -> StoreAddress | None:
    """The address that is asked for, with the space's name where no prefix is; StoreAddressBad where it is none."""
    if text is None and endpoint is None and region is None:
        return None
    try:
        found = s3_address.parse(text or "", endpoint, region)
    except ValueError as error:
        raise StoreAddressBad(text or "Nothing", str(error)) from error
    return found if found.prefix else StoreAddress(found.bucket, space, found.endpoint, found.region)


def claim(address: StoreAddress) -> Store:
    """A store that keeps its word, empty; a failure of errors.store where it does not, or holds another space."""
    store = S3Store(address)
    probe(store, str(address))
    if store.batch([List("")]).answers[0]:
        store.clear(keys.ALL)  # what a creation that was killed has left: it has no space
    return store


def clear(address: StoreAddress | None) -> None:
    """Delete all that a space has in its store; a bucket that is gone is as good."""
    if address is not None:
        with suppress(StoreMissing):
            S3Store(address).clear(keys.ALL)


def forget(pointer: Pointer) -> None:
    """Remove what there still is of a space whose hosts are gone: its store, builds of its apps, its pointer."""
    from deployer.build import build

    clear(pointer.store)
    build.forget(pointer.name)
    pointers.remove(pointer.name)


@contextmanager
def opened(pointer: Pointer) -> Iterator[Store]:
    """The store of a space, to look into."""
    if pointer.store is not None:
        yield S3Store(pointer.store)
        return
    with open_space(pointer) as space:
        yield space.ledger.store
