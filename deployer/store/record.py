"""The bodies of the ledger's records: JSON of a dataclass, and the id of the write that put it there.

The id answers the question that a lost connection leaves behind: a conditional write that is refused may have been
refused because the same write, sent a moment before, was done. Whoever reads back its own id was successful.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

from deployer.model.codec import decode, encode
from deployer.store.base import Get, Lost, Put, Store, Stored

T = TypeVar("T")


def dump(value: Any) -> bytes:
    """The body of a record; every call has a write id of its own."""
    return json.dumps({**encode(value), "write": secrets.token_hex(8)}, ensure_ascii=True).encode()


def load(kind: type[T], stored: Stored) -> T:
    """The record in a body."""
    return decode(kind, json.loads(stored.body))


def found(kind: type[T], answer: object) -> T | None:
    """The record in a store's answer to Get; None where there is none."""
    return load(kind, answer) if isinstance(answer, Stored) else None


def digest(value: Any) -> str:
    """The sha256 of a value's JSON, the same on every machine and in every order of its keys."""
    text = json.dumps(encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def put(store: Store, op: Put, before: Sequence[Put] = ()) -> str:
    """A conditional write that knows itself again: returns the new etag; Lost where somebody else was first. What is to
    be written `before` it, without conditions, goes the same way."""
    try:
        etag = store.batch([*before, op]).answers[-1]
    except Lost:
        found = store.batch([Get(op.key)]).answers[0]
        if not (isinstance(found, Stored) and found.body == op.body):
            raise
        etag = found.etag
    assert isinstance(etag, str)
    return etag
