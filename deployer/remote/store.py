"""The first host's store, and the records of backups on any, reached through the agent."""

from __future__ import annotations

from collections.abc import Sequence

from deployer.remote.agent import Session
from deployer.store.base import Answers, Lost, Op
from deployer.store.wire import answer_from_json, op_to_json


class HostStore:
    """A Store over a session: the space's, or that of the host's `backups`."""

    def __init__(self, session: Session, *, backups: bool = False) -> None:
        self._session = session
        self._which = {"backups": True} if backups else {}

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops` in one round trip; Lost where a condition does not hold."""
        result = self._session.call("store", {"ops": [op_to_json(op) for op in ops], **self._which})
        if "lost" in result:
            raise Lost(result["lost"])
        answers = tuple(answer_from_json(answer) for answer in result["answers"])
        return Answers(result["now"], answers, result["at"])
