"""A store in memory, with a clock of its own and, where asked, a wire that breaks after the work is done."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

from deployer.store.base import Answers, Delete, Get, List, Lost, Op, Put, Stored


class MemoryStore:
    """`before` runs ahead of every batch: tests let others get in between, or count round trips."""

    def __init__(self, before: Callable[[Sequence[Op]], None] = lambda ops: None) -> None:
        self.now = 1_000_000.0
        self.bodies: dict[str, bytes] = {}
        self.before = before
        self._lock = threading.Lock()

    def batch(self, ops: Sequence[Op]) -> Answers:
        self.before(ops)
        with self._lock:
            return Answers(self.now, tuple(self._do(op) for op in ops))

    def _do(self, op: Op) -> Stored | str | tuple[str, ...] | None:
        if isinstance(op, List):
            return tuple(sorted(key for key in self.bodies if key.startswith(op.prefix)))
        body = self.bodies.get(op.key)
        if isinstance(op, Get):
            return None if body is None else Stored(body, etag(body))
        if isinstance(op, Delete) and body is None:
            return None
        absent = isinstance(op, Put) and op.if_absent and body is not None
        if absent or (op.if_match is not None and (body is None or etag(body) != op.if_match)):
            raise Lost(op.key)
        if isinstance(op, Put):
            self.bodies[op.key] = op.body
            return etag(op.body)
        self.bodies.pop(op.key, None)
        return None


class DeafStore(MemoryStore):
    """Does every conditional write twice, as a client does whose first answer was lost on the way."""

    def batch(self, ops: Sequence[Op]) -> Answers:
        if any(isinstance(op, Put) and (op.if_absent or op.if_match) for op in ops):
            super().batch(ops)
        return super().batch(ops)


def etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
