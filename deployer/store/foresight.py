"""A Store that reads ahead: what a command is about to ask for comes along with a round trip that it makes anyway.

Each answer is given once, and only while it says what a question of its own would have said: not after a write, but of
those that came back with it, and not for longer than a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployer.store.base import Answers, Get, List, Op, Store, Stored

FRESH = 2.0  # seconds: somebody else may write meanwhile, as between any two round trips

Read = Get | List
Answer = Stored | str | tuple[str, ...] | None
Known = Callable[[Read], Answer]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Answers that nobody has asked for yet, the store's clock when they were given, and this machine's."""

    answers: dict[Read, Answer]
    now: float
    since: float


class Foresight:
    """The store `beneath`, and what is known ahead of it. One that leads to the same place may take its place. `clock`
    is this machine's, in seconds."""

    def __init__(self, beneath: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.beneath = beneath
        self._clock = clock
        self._next: tuple[Read, ...] = ()
        self._behind_write: Callable[[Known], Sequence[Read]] | None = None
        self._ahead = _Ahead({}, 0.0, 0.0)

    def expect(self, reads: Sequence[Read], behind_write: Callable[[Known], Sequence[Read]] | None = None) -> None:
        """These are read next, or soon: they go along with the next batch. `behind_write` says what goes along with the
        next one that writes: it is told how to look at the answers that are known by then, without using them up."""
        self._next = tuple(reads)
        self._behind_write = behind_write

    def batch(self, ops: Sequence[Op]) -> Answers:
        """As a Store's."""
        reads = [op for op in ops if isinstance(op, (Get, List))]
        if len(reads) < len(ops):
            return self._written(ops)
        known = self._fresh()
        if reads and all(read in known.answers for read in reads):
            return Answers(known.now + self._clock() - known.since, tuple(known.answers.pop(read) for read in reads))
        return self._asked(ops, self._next)

    def _fresh(self) -> _Ahead:
        if self._clock() - self._ahead.since > FRESH:
            self._ahead = _Ahead({}, 0.0, 0.0)
        return self._ahead

    def _written(self, ops: Sequence[Op]) -> Answers:
        known, behind = self._fresh().answers, self._behind_write
        along = (*self._next, *(behind(known.get) if behind else ()))
        self._ahead = _Ahead({}, 0.0, 0.0)
        answers = self._asked(ops, along)
        self._behind_write = None
        return answers

    def _asked(self, ops: Sequence[Op], along: Sequence[Read]) -> Answers:
        """The answers to `ops`; those to `along`, if there are any, are what is known from now on."""
        done = self.beneath.batch([*ops, *along])
        self._next = ()
        if along:
            found = dict(zip(along, done.answers[len(ops) :], strict=True))
            self._ahead = _Ahead(found, done.now, self._clock())
        return Answers(done.now, done.answers[: len(ops)], done.at)
