"""The copies of the ledger that hosts other than the first one hold: what is left of it when the first one is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out


@dataclass(frozen=True, slots=True)
class Copy:
    """One host's copy: of which epoch, and after how many changes; 0 where it is none that is whole."""

    session: Session
    epoch: int
    at: int


def newest_copy(sessions: Sequence[Session]) -> Copy:
    """The copy that has everything that was acknowledged, where `sessions` are all hosts of the space but the lost
    one: of equals the one with the lowest seat. Its `at` is 0 where nobody has one."""

    def ask(session: Session) -> Copy:
        answer = session.call("copy")
        return Copy(session, answer["epoch"], answer["at"])

    found = [copy for copy in fan_out(sessions, ask)]
    return max(found, key=lambda copy: (copy.at > 0, copy.epoch, copy.at, -copy.session.host.seat))


def promote(copy: Copy) -> None:
    """Make the copy its host's store, from which the ledger is read from now on; NoCopy where it cannot be one. Other
    hosts must know the new epoch before: they then hold no write of a laptop that still sees the lost host."""
    copy.session.call("copy_promote")
