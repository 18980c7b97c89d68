"""Another host becomes the first one, when the first one is lost (docs/decisions/0015). Whatever cuts it off, the same
command goes on; behind the rename of the copy every other command does too."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from deployer.errors.base import Failure
from deployer.errors.hosts import FirstHostAnswers, FirstHostAway, HostIsLeftOut, NoCopyLeft, OthersMustAnswer
from deployer.errors.ledger import ToolTooOld
from deployer.errors.remote import ConnectionLost, HostKeyChanged, HostUnreachable
from deployer.errors.spaces import NoSuchHost, SpaceStopped
from deployer.model.addon import Addon
from deployer.model.events import Detail, Doing, Done, Tell
from deployer.model.lease import Lease
from deployer.model.space import Host, Pointer, Space
from deployer.operations import copies
from deployer.operations.attendance import NOTICE
from deployer.operations.copies import Copy
from deployer.operations.database_hosts import living_on
from deployer.operations.first_host import Dial, Met, hosts_of, meet, noted
from deployer.operations.joining import fill_up
from deployer.operations.rented import name_of_address
from deployer.operations.rented_hosts import is_ready
from deployer.operations.roll_call import change_roll, holding_space, tell_roll
from deployer.operations.session import OpenSpace, whoami
from deployer.remote.agent import Session
from deployer.remote.store import HostStore
from deployer.spaces import pointers
from deployer.store import keys, record
from deployer.store.base import Get, List, Op, Put, Stored
from deployer.store.copy import Bodies
from deployer.store.entries import AuditEntry
from deployer.store.ledger import Ledger
from deployer.version import VERSION, is_older

LOST = (HostUnreachable, SpaceStopped, HostKeyChanged, ConnectionLost)  # what a host that is lost is met with
Open = Callable[[Pointer], AbstractContextManager[OpenSpace]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen: `host` takes the place of `lost`, on which these add-ons live. `last` is the last thing that
    the ledger, or the copy of it, knows; the hosts `without` count, do not answer either, and are left out too;
    `doubtful` names the host of the copy where its router takes no requests: it may have heard that it was left out."""

    space: Space
    host: Host
    lost: Host
    addons: tuple[Addon, ...]
    last: AuditEntry | None
    without: tuple[str, ...] = ()
    doubtful: str = ""

    @property
    def url(self) -> str:
        """Where apps answer from then on: elsewhere, where they have answered at a name that says the lost address."""
        return self.space.url.replace(f".{name_of_address(self.lost)}/", f".{name_of_address(self.host)}/")


Approve = Callable[[Plan], None]


@dataclass(frozen=True, slots=True)
class Ways:
    """How this machine gets to hosts, and into a space; which hosts the user does without where they do not answer."""

    dial: Callable[[Pointer], Dial]
    open: Open
    leave_out: tuple[str, ...] = ()


def promote(
    pointer: Pointer,
    name: str,
    ways: Ways,
    approve: Approve,
    tell: Tell,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Make the host of that name the first one. `approve` raises where the user does not agree. FirstHostAnswers,
    OthersMustAnswer, NoCopyLeft, HostIsLeftOut, NoSuchHost, EpochTaken."""
    if pointer.store is not None:
        _appoint(pointer, name, ways, approve, tell, pause)
        return
    found = _Search(pointer, ways.dial(pointer))
    try:
        chosen = _chosen(found, name, ways.leave_out, approve, tell)
    finally:
        found.close()
    pointers.save(chosen)
    with ways.open(chosen) as space:
        with holding_space(space, f"promote {name}"):
            untold = space.space.roll != space.space.called
            if untold:
                tell_roll(space)
        _end(space, name, tell, pause if untold else lambda seconds: None)


def _end(space: OpenSpace, name: str, tell: Tell, pause: Callable[[float], None]) -> None:
    """Give the front time to notice who is out, and start elsewhere what ran there."""
    pause(NOTICE)
    fill_up(space, tell)
    space.ledger.audit(f"hosts:promote {name}")


class _Search:
    """What hosts of a space hold, while connections to them are open."""

    def __init__(self, pointer: Pointer, dial: Dial) -> None:
        self.pointer = pointer
        self._dial = dial
        self._met: list[Met] = [meet(hosts_of(pointer), dial)]
        self.copies: list[Copy] = copies.copies(self.sessions)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """With all hosts that answer."""
        return tuple(session for met in self._met for session in met.sessions)

    @property
    def silent(self) -> dict[str, Failure]:
        """What was seen of the others, by id."""
        return {name: failure for met in self._met for name, failure in met.silent.items()}

    def session(self, name: str) -> Session | None:
        """With one host."""
        return next((session for session in self.sessions if session.host.id == name), None)

    def holder(self) -> Copy | None:
        """The host with the ledger that is in force: not an old first host that came back."""
        least = max([self.pointer.epoch, *(copy.epoch for copy in self.copies)], default=0)
        held = [copy for copy in self.copies if copy.ledger and copy.ledger >= least]
        return max(held, key=lambda copy: copy.ledger, default=None)

    def newest(self) -> Copy:
        """The newest copy; NoCopyLeft."""
        newest = copies.newest(self.copies) if self.copies else None
        if newest is None or not newest.at:
            asked = ", ".join(session.host.id for session in self.sessions) or "none, for none answers"
            raise NoCopyLeft(self.pointer.name, asked)
        return newest

    def ledger(self) -> Ledger:
        """The newest copy, to look into, when all hosts that stand in it were dialled; NoCopyLeft."""
        while True:
            ledger = Ledger(copies.read(self.newest())[1], whoami())
            known = {*self.silent, *(session.host.id for session in self.sessions)}
            new = [host for host in ledger.hosts() if host.id not in known]
            if not new:
                return ledger
            self._met.append(meet(new, self._dial))
            self.copies += copies.copies(self._met[-1].sessions)

    def close(self) -> None:
        """End all connections."""
        for met in self._met:
            met.close()


def _chosen(found: _Search, name: str, leave_out: Sequence[str], approve: Approve, tell: Tell) -> Pointer:
    """The pointer to the host, which is the first one."""
    holder = found.holder()
    if holder is not None:
        return _already(found, holder, name, tell)
    ledger = found.ledger()
    plan = _plan(ledger, name, found.pointer)
    _check(found, plan, ledger.hosts(), leave_out)
    counting = {host.id for host in ledger.hosts() if not host.out} - {plan.lost.id}
    copy = found.newest()
    doubtful = "" if is_ready(copy.session) else copy.session.host.id
    plan = replace(plan, without=tuple(sorted(counting & set(found.silent))), doubtful=doubtful)
    approve(plan)
    tell(Doing(f"Making {name} the first host of {plan.space.name}"))
    epoch = _take_over(found, plan, counting)
    tell(Done())
    return noted(replace(found.pointer, first=plan.host), replace(plan.space, epoch=epoch), ledger.hosts())


def _already(found: _Search, holder: Copy, name: str, tell: Tell) -> Pointer:
    """The host that is asked for has the ledger. Where a promotion of another one was cut off, hosts obey a newer epoch
    than the ledger's, which then takes one that is newer still."""
    host, session = holder.session.host, holder.session
    if host.id != name:
        raise FirstHostAnswers(host.id, found.pointer.name, name)
    epoch, known = holder.ledger, max(copy.known for copy in found.copies)
    ledger = Ledger(HostStore(session), whoami())
    if known > epoch:
        epoch = known + 1  # one that nobody has ever used
        tell(Detail(f"the ledger stays on {name}, under an epoch that all hosts obey"))
        counting = {host.id for host in ledger.hosts() if not host.out}
        copies.raise_epoch([one for one in found.sessions if one.host.id in counting], epoch)
        ledger.save_space(replace(ledger.space(), epoch=epoch))
    first = next(one for one in ledger.hosts() if one.id == name)
    return noted(replace(found.pointer, first=first), ledger.space(), ledger.hosts())


def _plan(ledger: Ledger, name: str, pointer: Pointer) -> Plan:
    space, hosts = ledger.space(), {host.id: host for host in ledger.hosts()}
    if is_older(VERSION, space.tool):
        raise ToolTooOld(space.name, VERSION, space.tool)
    if name not in hosts:
        raise NoSuchHost(name, space.name, ", ".join(hosts))
    lost = hosts.get(space.first or pointer.first.id, pointer.first)
    return Plan(space, hosts[name], lost, living_on(ledger, lost), ledger.last_audit())


def _check(found: _Search, plan: Plan, hosts: Sequence[Host], leave_out: Sequence[str]) -> None:
    """Whether the first host is lost, and all others are there, but those that somebody has decided to do without."""
    name, lost = plan.host.id, plan.lost.id
    failure = found.silent.get(lost)
    if failure is not None and not isinstance(failure, LOST):
        raise failure  # it answers, and does not trust us
    missing = [host.id for host in hosts if not host.out and host.id != lost and found.session(host.id) is None]
    if set(missing) - set(leave_out) or name in missing:
        seen = "\n".join(f"{one}: {found.silent[one].paragraphs()[0]}" for one in missing)
        options = " ".join(f"--leave-out {one}" for one in missing if one != name)
        raise OthersMustAnswer(name, ", ".join(missing), seen, options or "--leave-out HOST")
    if plan.host.out:
        raise HostIsLeftOut(name, ", ".join(host.id for host in hosts if not host.out and host.id != lost) or "none")
    if name == lost:
        others = [host.id for host in hosts if host.id != lost and not host.out]
        seen = failure.paragraphs()[0] if failure else "It answers, but has no ledger."
        raise FirstHostAway(lost, plan.space.name, seen, others[0] if others else "HOST")


def _take_over(found: _Search, plan: Plan, counting: Collection[str]) -> int:
    """No host obeys the old first one any more, then the newest copy becomes the ledger; its epoch."""
    sessions = [session for session in found.sessions if session.host.id in counting]
    epoch = max(plan.space.epoch, *(copy.known for copy in found.copies)) + 1
    copies.raise_epoch(sessions, epoch)
    newest = copies.newest(copies.copies(sessions))  # again: until now somebody may have written
    whole, bodies = copies.read(newest)
    session = found.session(plan.host.id)
    assert session is not None, "all that count answer"
    of = None if newest.session is session else whole
    copies.promote(session, epoch, of, _changes(bodies, plan, epoch))
    return epoch


def _changes(bodies: Bodies, plan: Plan, epoch: int) -> list[Op]:
    """What makes the copy a ledger in force: its epoch, lost hosts left out by a roll that nobody has been told yet,
    and no lease of a command that no host obeys any more."""
    ledger = Ledger(bodies, whoami())
    space = ledger.space()
    space = replace(space, epoch=epoch, roll=space.roll + 1, first=plan.host.id, url=plan.url)
    gone = [host for host in ledger.hosts() if host.id in (plan.lost.id, *plan.without) and not host.out]
    return [
        Put(keys.SPACE, record.dump(space)),
        *(Put(keys.host(host.id), record.dump(replace(host, out=space.roll))) for host in gone),
        *(Put(key, record.dump(Lease(lease.token))) for key, lease in _leases(bodies) if lease.holder),
    ]


def _leases(bodies: Bodies) -> list[tuple[str, Lease]]:
    listed = bodies.batch([List(keys.LEASES)]).answers[0]
    assert isinstance(listed, tuple)
    stored = bodies.batch([Get(key) for key in listed]).answers
    return [(key, record.load(Lease, one)) for key, one in zip(listed, stored, strict=True) if isinstance(one, Stored)]


def _appoint(
    pointer: Pointer, name: str, ways: Ways, approve: Approve, tell: Tell, pause: Callable[[float], None]
) -> None:
    """Where the ledger is on no host: say which one is the first."""
    with ways.open(pointer) as space:
        space.check_tool()
        there = space.session_of(name)
        hosts = {host.id: host for host in space.hosts}
        if name not in hosts:
            raise NoSuchHost(name, space.space.name, ", ".join(hosts))
        if there is None or hosts[name].out:
            raise HostIsLeftOut(name, ", ".join(session.host.id for session in space.answering) or "none")
        lost = hosts.get(space.space.first) or space.hosts[0]
        if lost.id != name:
            if space.session_of(lost.id) is not None:
                raise FirstHostAnswers(lost.id, space.space.name, name)
            plan = Plan(space.space, hosts[name], lost, living_on(space.ledger, lost), space.ledger.last_audit())
            approve(plan)
            space.decided.add(lost.id)
            with holding_space(space, f"promote {name}"):
                space.space = replace(space.space, first=name, url=plan.url)
                change_roll(space, {} if lost.out else {lost.id: False})
        _end(space, name, tell, pause)
    pointers.save(replace(pointer, first=hosts[name]))
