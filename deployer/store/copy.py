"""A copy of a host's store on another host: always the store as it was after some batch, never a mixture.

The store counts its batches that write. A copy takes the next batch only, and everything at once where it has missed
one; it belongs to an epoch of the space, and what is of an older one is worth nothing.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Mapping, Sequence

from deployer.store.base import Answers, Delete, Get, List, Op, Put, Stored
from deployer.store.folder import AT, FolderStore, etag, read_number, write_number

EPOCH = ".epoch"
NOTHING = 0  # the number of a copy that is empty or half made


class StoreCopy(FolderStore):
    """The copy in a folder."""

    def at(self) -> tuple[int, int]:
        """Of which epoch it is, and after how many batches; 0 where it is worth nothing."""
        with self._locked(fcntl.LOCK_SH):
            return read_number(self._root / EPOCH), read_number(self._root / AT)

    def follow(self, epoch: int, at: int, ops: Sequence[Op]) -> bool:
        """Do what the store did in its batch number `at`; False where this copy has not all that was before."""
        with self._locked(fcntl.LOCK_EX):
            mine = read_number(self._root / AT) if read_number(self._root / EPOCH) == epoch else NOTHING
            if mine == NOTHING or mine < at - 1:
                return False
            if mine >= at:
                return True
            self._do(ops)
            write_number(self._root / AT, at)
            return True

    def become(self, epoch: int, at: int, bodies: Mapping[str, bytes]) -> None:
        """Be the store as it was after its batch number `at`, unless this copy is that far already."""
        with self._locked(fcntl.LOCK_EX):
            if (read_number(self._root / EPOCH), read_number(self._root / AT)) >= (epoch, at):
                return
            write_number(self._root / AT, NOTHING)
            write_number(self._root / EPOCH, epoch)
            gone = set(self._list("")) - set(bodies)
            changed = {key: body for key, body in bodies.items() if (old := self._get(key)) is None or old.body != body}
            self._do([*(Delete(key) for key in gone), *(Put(key, body) for key, body in changed.items())])
            write_number(self._root / AT, at)

    def change(self, ops: Sequence[Op]) -> None:
        """Do what no store has done: the copy is about to become one, and is ahead of all others from now on."""
        with self._locked(fcntl.LOCK_EX):
            self._do(ops)
            write_number(self._root / AT, read_number(self._root / AT) + 1)

    def _do(self, ops: Sequence[Op]) -> None:
        for op in ops:
            if isinstance(op, Put):
                self._write(self._root / op.key, op.body)
            elif isinstance(op, Delete) and self._get(op.key) is not None:
                self._remove(op.key)


class Bodies:
    """A Store to look into: what a copy that was read over holds."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self._bodies = bodies

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops`, none of which writes."""
        return Answers(time.time(), tuple(self._answer(op) for op in ops))

    def _answer(self, op: Op) -> Stored | tuple[str, ...] | None:
        if isinstance(op, List):
            return tuple(sorted(key for key in self._bodies if key.startswith(op.prefix)))
        assert isinstance(op, Get), "it is only looked into"
        body = self._bodies.get(op.key)
        return None if body is None else Stored(body, etag(body))
