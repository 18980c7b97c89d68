"""Whether a store keeps its word: asked once, when a space is made on it."""

from __future__ import annotations

import secrets
from contextlib import suppress

from deployer.errors.store import StoreConditionsIgnored, StoreRefused, StoreTaken
from deployer.model.space import Space
from deployer.store import keys, record
from deployer.store.base import Delete, Get, Lost, Put, Store, Stored

NOT_IMPLEMENTED = 501  # what some endpoints say to a header that they do not know
ABSENT, MATCH = "If-None-Match", "If-Match"


def probe(store: Store, name: str) -> None:
    """StoreConditionsIgnored where conditional writes, of either kind, are done that should be refused, or the other
    way round; StoreTaken where a space lies there. Nothing of the probe is left. `name` is the store's for users."""
    taken = store.batch([Get(keys.SPACE)]).answers[0]
    if isinstance(taken, Stored):
        raise StoreTaken(name, record.load(Space, taken).name)
    key = f"probe-{secrets.token_hex(4)}"
    try:
        _done(store, Put(key, b"first", if_absent=True), name, ABSENT)
        _refused(store, Put(key, b"second", if_absent=True), name, ABSENT)
        first = store.batch([Get(key)]).answers[0]
        assert isinstance(first, Stored)
        _done(store, Put(key, b"third", if_match=first.etag), name, MATCH)
        _refused(store, Put(key, b"fourth", if_match=first.etag), name, MATCH)
        _refused(store, Put(f"{key}-absent", b"fifth", if_match=first.etag), name, MATCH)
    finally:
        store.batch([Delete(key), Delete(f"{key}-absent")])


def _done(store: Store, put: Put, name: str, header: str) -> None:
    try:
        store.batch([put])
    except (Lost, StoreRefused) as refused:
        if isinstance(refused, StoreRefused) and refused.status >= 500 and refused.status != NOT_IMPLEMENTED:
            raise
        raise StoreConditionsIgnored(name, header, "whose condition holds is refused") from refused


def _refused(store: Store, put: Put, name: str, header: str) -> None:
    with suppress(Lost):
        store.batch([put])
        raise StoreConditionsIgnored(name, header, "whose condition does not hold is done all the same")
