"""The first host's store, reached through its agent."""

from __future__ import annotations

from collections.abc import Sequence

from deployer.remote.agent import Session
from deployer.store.base import Answers, Lost, Op
from deployer.store.wire import answer_from_json, op_to_json


class HostStore:
    """A Store over a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops` in one round trip; Lost where a condition does not hold."""
        result = self._session.call("store", {"ops": [op_to_json(op) for op in ops]})
        if "lost" in result:
            raise Lost(result["lost"])
        answers = tuple(answer_from_json(answer) for answer in result["answers"])
        return Answers(result["now"], answers, result["at"])
