"""What hosts hold of the ledger: the first one its store, others copies, of which one has all that was acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.store.base import Op
from deployer.store.copy import Bodies
from deployer.store.wire import op_to_json, read_text


@dataclass(frozen=True, slots=True)
class Copy:
    """One host's copy: of which epoch, and after how many changes; 0 where it is none that is whole. `known` is the
    epoch whose commands the host obeys, `ledger` the one that the ledger in its own store says, 0 where it has none."""

    session: Session
    epoch: int
    at: int
    known: int = 0
    ledger: int = 0


def copies(sessions: Sequence[Session]) -> list[Copy]:
    """What these hosts hold."""

    def ask(session: Session) -> Copy:
        answer = session.call("copy")
        return Copy(session, answer["epoch"], answer["at"], answer["known"], answer["ledger"])

    return fan_out(sessions, ask)


def newest(found: Sequence[Copy]) -> Copy:
    """The copy that has everything that was acknowledged, where `found` is of all hosts of the space but the lost one:
    of equals the one with the lowest seat. Its `at` is 0 where nobody has one."""
    return max(found, key=lambda copy: (copy.at > 0, copy.epoch, copy.at, -copy.session.host.seat))


def read(copy: Copy) -> tuple[dict[str, Any], Bodies]:
    """All of a copy: as `promote` gives it to another host, and as a store to look into."""
    found = copy.session.call("store_read", {"copy": True})
    texts = found["bodies"]
    whole = {"epoch": copy.epoch, "at": found["at"], "bodies": texts}
    return whole, Bodies({key: read_text(text) for key, text in texts.items()})


def raise_epoch(sessions: Sequence[Session], epoch: int) -> None:
    """Have hosts obey no command of an older epoch; EpochTaken where one knows it, or a newer one, already."""
    fan_out(sessions, lambda session: session.call("raise_epoch", {"epoch": epoch}))


def promote(session: Session, epoch: int, of: dict[str, Any] | None = None, ops: Sequence[Op] = ()) -> None:
    """Make a host's copy, or the one that `read` gave, changed by `ops`, the host's store, from which the ledger is
    read from now on; NoCopy where it cannot be one. All hosts must obey `epoch`, and no older one, before: they then
    hold no write of a laptop that still sees the lost host."""
    request = {"epoch": epoch, "ops": [op_to_json(op) for op in ops], **({"of": of} if of else {})}
    session.call("copy_promote", request)
