"""Which host of a space is the first one: found out anew where a pointer no longer leads to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.hosts import FirstHostAway, FirstHostMoved, PromotionUnfinished
from deployer.errors.ledger import SpaceEmpty
from deployer.errors.remote import HostUnreachable
from deployer.errors.spaces import SpaceStopped
from deployer.model.space import Host, Pointer, Space
from deployer.operations.copies import Copy, copies
from deployer.remote.agent import Session
from deployer.spaces import pointers
from deployer.spaces.sandbox import record as sandbox_record

Dial = Callable[[Host], Session]
MOST_AT_ONCE = 16  # connections that are opened at the same time
GONE = (HostUnreachable, SpaceStopped, SpaceEmpty)  # what a first host is met with that may no longer be the first


@dataclass(frozen=True, slots=True)
class Met:
    """Hosts that were dialled: sessions with those that answer, by seat, and what was seen of the others, by id."""

    sessions: tuple[Session, ...]
    silent: dict[str, Failure]

    def session(self, name: str) -> Session | None:
        """The session with a host, if it answers."""
        return next((session for session in self.sessions if session.host.id == name), None)

    def close(self) -> None:
        """End all connections."""
        for session in self.sessions:
            session.close()


def hosts_of(pointer: Pointer) -> tuple[Host, ...]:
    """The hosts that this machine knows a space to have, the first one among them."""
    known = {host.id: host for host in (pointer.first, *pointer.hosts)}
    if pointer.kind == "sandbox" and pointer.folder and Path(pointer.folder, "sandbox.json").exists():
        machines = sandbox_record.load(Path(pointer.folder)).machines
        known |= {m.name: Host(m.name, m.number, m.address, m.address, m.host_key) for m in machines}
    return tuple(sorted(known.values(), key=lambda host: host.seat))


def meet(hosts: Sequence[Host], dial: Dial) -> Met:
    """Dial hosts, all at the same time."""

    def try_one(host: Host) -> Session | Failure:
        try:
            return dial(host)
        except Failure as failure:
            return failure

    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        found = list(zip(hosts, threads.map(try_one, hosts), strict=True))
    sessions = [answer for _, answer in found if not isinstance(answer, Failure)]
    silent = {host.id: answer for host, answer in found if isinstance(answer, Failure)}
    return Met(tuple(sorted(sessions, key=lambda session: session.host.seat)), silent)


def find(pointer: Pointer, met: Met) -> Pointer | None:
    """The pointer to a host that has been made the first one since this one was written; None where none of those that
    were met has a newer ledger."""
    held: list[Copy] = []
    for session in met.sessions:
        with suppress(Failure):
            held += copies([session])
    best = max(held, key=lambda copy: copy.ledger, default=None)
    if best is None or not best.ledger:
        return None
    # A pointer from before there were epochs in it: an old first host that has come back has a ledger that is too old.
    newer = best.ledger > pointer.epoch if pointer.epoch else best.ledger >= max(copy.known for copy in held)
    if not newer:
        return None
    first = next(host for host in hosts_of(pointer) if host.id == best.session.host.id)
    return replace(pointer, first=first, epoch=best.ledger)


def follow(pointer: Pointer, dial: Dial, failure: Failure) -> Pointer:
    """The pointer to the present first host, noted on this machine, after that failure of the one that was taken for
    it; FirstHostAway where others answer and none is the first one, else the failure itself."""
    others = [host for host in hosts_of(pointer) if host.id != pointer.first.id]
    if pointer.store is not None or not others:
        raise failure
    met = meet(others, dial)
    try:
        found = find(pointer, met)
        if found is not None:
            pointers.save(found)
            return found
        if met.sessions and not isinstance(failure, SpaceEmpty):
            other = met.sessions[0].host.id
            raise FirstHostAway(pointer.first.id, pointer.name, _seen(failure), other) from failure
        raise failure
    finally:
        met.close()


def moved(pointer: Pointer, dial: Dial, old: OldEpoch) -> Failure:
    """What is to be said where a host no longer obeys the ledger that this command has read."""
    met = meet([host for host in hosts_of(pointer) if host.id != pointer.first.id], dial)
    try:
        found = find(pointer, met)
    finally:
        met.close()
    if found is None:
        return PromotionUnfinished(pointer.name, pointer.first.id, old.host)
    pointers.save(found)
    return FirstHostMoved(pointer.name, pointer.first.id, found.first.id)


def note(pointer: Pointer, space: Space, hosts: Sequence[Host]) -> None:
    """Remember which hosts a space has, and its epoch, for the day on which the first one is silent."""
    seen = noted(pointer, space, hosts)
    if hosts and seen != pointer and pointer.name in pointers.names():
        with suppress(Failure, OSError):  # another command has written it: that one knows as much
            if pointers.load(pointer.name) == pointer:
                pointers.save(seen)


def noted(pointer: Pointer, space: Space, hosts: Sequence[Host]) -> Pointer:
    """A pointer that knows these hosts of the space."""
    plain = tuple(replace(host, out=0, leaving=False) for host in hosts)
    return replace(pointer, hosts=plain, epoch=space.epoch)


def _seen(failure: Failure) -> str:
    if isinstance(failure, SpaceStopped):
        return f"It does not run. To boot it: {failure.command}"
    return failure.paragraphs()[1] if len(failure.paragraphs()) > 1 else failure.paragraphs()[0]
