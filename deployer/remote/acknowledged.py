"""The first host's store, whose writes count when one more host holds them too.

The first host decides; then the batch goes to the copy on another host. A copy that has missed something is given
everything. Where no other host can hold it, the write fails, and later ones fail before they reach the first host: what
was not acknowledged is finished or undone by the next command that finds two hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.store import StoreAlone
from deployer.remote.agent import Session
from deployer.remote.store import HostStore
from deployer.store.base import Answers, Delete, Op, Put
from deployer.store.wire import op_to_json

Others = Callable[[], Sequence[Session]]


class AcknowledgedStore(HostStore):
    """A Store over a session with the first host. `others` gives sessions with the other hosts that may hold the copy,
    by seat: none where there is no other, StoreAlone where there are and none answers. `epoch` is the space's."""

    def __init__(self, first: Session, others: Others, epoch: Callable[[], int]) -> None:
        super().__init__(first)
        self._others = others
        self._epoch = epoch
        self._left: list[Session] = []  # those that may hold the copy; the first one does
        self._silent: list[str] = []

    def batch(self, ops: Sequence[Op]) -> Answers:
        """As a HostStore's; StoreAlone where other hosts are there and none of them holds what is written."""
        changes = [op for op in ops if isinstance(op, (Put, Delete))]
        if not changes:
            return super().batch(ops)
        if not self._left and self._silent:
            raise StoreAlone(self._session.host.id, "\n".join(self._silent))
        self._left = self._left or list(self._others())
        answers = super().batch(ops)
        self._have_held(changes, answers.at)
        return answers

    def _have_held(self, changes: Sequence[Op], at: int) -> None:
        """Have one other host hold these changes too, the batch number `at`."""
        while self._left:
            try:
                self._have_it_held(self._left[0], changes, at)
                return
            except OldEpoch:
                raise
            except Failure as failure:
                gone = self._left.pop(0)
                self._silent.append(f"{gone.host.id}: {failure.paragraphs()[0]}")
        if self._silent:
            raise StoreAlone(self._session.host.id, "\n".join(self._silent))

    def _have_it_held(self, other: Session, changes: Sequence[Op], at: int) -> None:
        epoch = self._epoch()
        request = {"epoch": epoch, "at": at, "ops": [op_to_json(op) for op in changes]}
        if not other.call("copy", request)["held"]:
            whole = self._session.call("store_read")
            other.call("copy", {"epoch": epoch, **whole})
