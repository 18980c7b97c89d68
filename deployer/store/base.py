"""Small-object storage with conditional writes: what a space's ledger and leases stand on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PART = r"[A-Za-z0-9_-][A-Za-z0-9._:-]*"
KEY = re.compile(rf"{PART}(/{PART})*")
PREFIX = re.compile(rf"({PART}/)*({PART})?")


class Lost(Exception):
    """A conditional write whose condition no longer held: somebody else was first. `key` says where."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Get:
    """Read one key."""

    key: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write one key: always, only if absent, or only if its etag still is `if_match`. A body is never empty."""

    key: str
    body: bytes
    if_absent: bool = False
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class List:
    """The keys that begin with `prefix`, sorted."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one key, if its etag still is `if_match` where that is given. Deleting what is not there is no error."""

    key: str
    if_match: str | None = None


Op = Get | Put | List | Delete


@dataclass(frozen=True, slots=True)
class Stored:
    """A body and its etag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a batch, in its order: Stored or None for Get, the new etag for Put, keys for List, None for
    Delete. `now` is the store's clock in seconds since 1970; `at` counts the batches that wrote something into a store
    that is copied, this one included."""

    now: float
    answers: tuple[Stored | str | tuple[str, ...] | None, ...]
    at: int = 0


class Store(Protocol):
    """One round trip a batch. Ops run in order; the first condition that does not hold raises Lost and ends the batch:
    what stood before it was done, the rest was not."""

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops`."""
        ...


def check(op: Op) -> None:
    """ValueError for a key that is none: names that begin with a dot, empty parts, anything that leads elsewhere."""
    text, pattern = (op.prefix, PREFIX) if isinstance(op, List) else (op.key, KEY)
    if pattern.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no key of a store")
