"""A space that is open: its ledger, and sessions with its hosts."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.hosts import HostsDoNotAnswer, HostsOfAwsDoNotAnswer, NoHostHasJoined, NoHostLeft
from deployer.errors.ledger import ToolTooOld
from deployer.errors.store import StoreAlone
from deployer.model.events import Tell, Warn
from deployer.model.lease import RENEW_EVERY, TIME_TO_LIVE
from deployer.model.space import Host, Pointer, Space, StoreAddress
from deployer.operations.dialling import Connect, aside, dialler
from deployer.operations.first_host import GONE, MOST_AT_ONCE, follow, moved, note
from deployer.operations.prepare import prepare_every_host
from deployer.remote.acknowledged import AcknowledgedStore, Others
from deployer.remote.agent import Session
from deployer.remote.person import NOBODY, Person
from deployer.remote.store import HostStore
from deployer.store.base import Store
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from deployer.version import VERSION, is_older

if TYPE_CHECKING:
    from deployer.operations.cloud_gone import Fates

    Asks = Callable[[Sequence[Host], Sequence[Host]], Fates]

OUT_PATIENCE = 3.0  # seconds that a host gets to answer which is left out anyway
NO_TURNS = nullcontext()
DOUBT = 3.0  # seconds until AWS is asked what became of a host that has not answered


@dataclass(frozen=True, slots=True)
class Missing:
    """A host that counts and does not answer, what was seen, and what AWS has `said` of it where it is one of AWS."""

    host: Host
    failure: Failure
    said: str = ""


@dataclass(frozen=True, slots=True)
class Absence:
    """What is done about hosts that do not answer: those that `leave_out` names are left out; others get `wait`
    seconds; then `ask` says `wait`, `leave out` or `abort`, and where it is None nobody can be asked."""

    leave_out: tuple[str, ...] = ()
    wait: float | None = None
    ask: Callable[[Sequence[Missing]], str] | None = None


def failure_of(missing: Sequence[Missing]) -> HostsDoNotAnswer:
    """What says which hosts do not answer, and what may be done."""
    seen = "\n".join("\n    ".join(filter(None, (f"{one.host.id}: {_why(one.failure)}", one.said))) for one in missing)
    options = " ".join(f"--leave-out {one.host.id}" for one in missing)
    kind = HostsOfAwsDoNotAnswer if any(one.said for one in missing) else HostsDoNotAnswer
    return kind(names(missing), seen, options, ",".join(one.host.id for one in missing))


def names(missing: Sequence[Missing]) -> str:
    """Their ids, in a sentence."""
    return ", ".join(one.host.id for one in missing)


def _why(failure: Failure) -> str:
    seen = failure.paragraphs()
    return seen[1].replace("\n", " ") if len(seen) > 1 else seen[0]


@dataclass
class OpenSpace:
    """A space whose store has answered; hosts are dialled when `sessions` or `first` is first asked for, the first one
    earlier where the store is its. Leases that are taken here live for `time_to_live` seconds. `state` is the state
    bucket of a space in AWS."""

    space: Space
    ledger: Ledger
    _first: Session | None
    connect: Connect
    time_to_live: float = TIME_TO_LIVE
    absence: Absence = field(default_factory=Absence)
    hosts: tuple[Host, ...] = ()
    decided: set[str] = field(default_factory=set)  # hosts that somebody has decided to leave out in this command
    state: StoreAddress | None = None
    gone: frozenset[str] = frozenset()  # in AWS, hosts that have ended or that the group ends: nobody waits for them
    asks: Asks | None = None  # AWS, what became of hosts of those that there are
    doubt: float = DOUBT
    ended: dict[str, str] = field(default_factory=dict)  # those that were found to be gone, and what is said of each
    notice: Tell = lambda event: None  # hears of them
    moved_from: str = ""  # the host that this machine has taken for the first one until now
    _open: dict[str, Session] = field(default_factory=dict)
    _silent: dict[str, Failure] = field(default_factory=dict)
    _dialled: dict[str, Future[None]] = field(default_factory=dict)  # and not waited for yet
    _dialled_out: list[Future[None]] = field(default_factory=list)
    _closed: bool = False
    _said: dict[str, str] = field(default_factory=dict)  # by AWS, of hosts that did not answer

    @property
    def first(self) -> Session:
        """The first host; where the store is elsewhere, the one that was made so, or the first one that answers: in AWS
        that is whichever does, where the others have not been waited for."""
        if self._first is None and self.asks is not None:
            self._first = self._whoever_answers()
        if self._first is None:
            answer = self.answering or self.sessions
            self._first = next((one for one in answer if one.host.id == self.space.first), answer[0])
        return self._first

    def _whoever_answers(self) -> Session | None:
        """The one of the lowest seat that has answered, as soon as any has; None where none does."""
        if not self.hosts:
            self._begin()
        pending: set[Future[None]] = set(self._dialled.values())
        while pending and not self._open:
            _, pending = wait(pending, return_when=FIRST_COMPLETED)
        return next((self._open[host.id] for host in self.hosts if not host.out and host.id in self._open), None)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """One session for each host that counts, by seat; the first failure to connect is raised when all have been
        tried."""
        for missing in self.missing:
            raise missing.failure
        return self.answering

    @property
    def answering(self) -> tuple[Session, ...]:
        """Sessions of the hosts that count and answer, by seat."""
        self._dial_once()
        return tuple(self._open[host.id] for host in self.hosts if not host.out and host.id in self._open)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The hosts that count and do not answer."""
        self._dial_once()
        silent = [host for host in self.hosts if host.id in self._silent]
        return tuple(Missing(host, self._silent[host.id], self._said.get(host.id, "")) for host in silent)

    @property
    def returning(self) -> tuple[Session, ...]:
        """Sessions of hosts that are left out and answer again, but not of those that are being removed."""
        self._dial_once()
        out = [host.id for host in self.hosts if host.out and not host.leaving]
        return tuple(self._open[name] for name in out if name in self._open)

    def hosts_known(self) -> tuple[Host, ...]:
        """All hosts of the space, by seat, when they have been dialled."""
        self._dial_once()
        return self.hosts

    def session_of(self, name: str) -> Session | None:
        """The session with a host, whether it counts or not; None where it does not answer."""
        self._dial_once()
        return self._open.get(name)

    def dial(self) -> None:
        """Read again which hosts there are, and connect to those that have not answered so far."""
        self._begin()
        self._finish()

    def _begin(self) -> None:
        known = [self._first] if self._first else []
        self.hosts = self.registered() or tuple(session.host for session in known)
        self._open.update({session.host.id: session for session in known})
        self._silent = {}
        going_on = {name: one for name, one in self._dialled.items() if not one.done()}
        wanted = [host for host in self.hosts if host.id not in self._open and host.id not in going_on]
        turns = threading.Semaphore(MOST_AT_ONCE)
        self._dialled_out = [aside(partial(self._try, host)) for host in wanted if host.out]
        self._dialled = going_on | {host.id: aside(partial(self._try, host, turns)) for host in wanted if not host.out}

    def _finish(self) -> None:
        """Until all have answered, or failed to; in AWS nobody waits for those that are gone."""
        dialled, self._dialled, failed = self._dialled, {}, set[str]()
        if self.asks is not None:
            wait(dialled.values(), self.doubt)
            failed = set(self._silent)
            self._pass_over([name for name in dialled if name not in self._open])
        for name, one in dialled.items():
            if name not in self.gone:
                one.result()
        self._pass_over([name for name in list(self._silent) if name not in failed])
        wait(self._dialled_out, OUT_PATIENCE)
        self._dialled_out = []

    def _pass_over(self, silent: Sequence[str]) -> None:
        """Go on without those of these hosts that are gone, in the word of AWS; NoHostLeft."""
        hosts = [host for host in self.hosts if host.id in silent]
        if not hosts or self.asks is None:
            return
        try:
            fates = self.asks(hosts, self.hosts)
        except Failure as failure:  # then they are hosts that do not answer
            self._said |= dict.fromkeys(silent, f"AWS does not say what became of it: {failure.paragraphs()[0]}")
            return
        self._said |= {one.host: one.said for one in fates.of}
        ended = fates.gone(self._silent)
        self.ended |= ended
        self.gone |= ended.keys()
        self.hosts = tuple(host for host in self.hosts if host.id not in self.gone)
        if ended and not self.hosts:
            raise NoHostLeft(self.space.name, "\n".join(f"{name}: {why}" for name, why in ended.items()))
        for name, why in ended.items():
            self.notice(Warn(f"Going on without {name}: {why}"))

    def registered(self) -> tuple[Host, ...]:
        """The hosts that the ledger has; NoHostHasJoined where a space whose hosts come by themselves has none."""
        if self.space.kind != "aws":
            return self.ledger.hosts()
        found = tuple(host for host in self.ledger.seated_hosts() if host.id not in self.gone)
        if not found:
            raise NoHostHasJoined(self.space.name)
        return found

    def _dial_once(self) -> None:
        if not self.hosts:
            self._begin()
        if self._dialled or self._dialled_out:
            self._finish()

    def again(self, lost: Session) -> Session:
        """Another session with a host instead of one that ended; the failure to connect."""
        lost.close()
        return self._connected(lost.host)

    def why_gone(self, host: Host) -> str:
        """What is said of a host of AWS that has just failed to answer, where it is gone; empty where it is not, or
        where AWS does not say."""
        if self.asks is None:
            return ""
        try:
            return self.asks([host], self.hosts).gone({host.id}).get(host.id, "")
        except Failure:
            return ""

    def newcomers(self) -> tuple[Session, ...]:
        """Sessions with hosts that have come since hosts were last looked for, and answer."""
        known = {host.id for host in self.hosts} | self.gone
        with suppress(Failure):
            for host in [one for one in self.registered() if one.id not in known]:
                self._try(host)
                if host.id in self._open:
                    self.hosts = tuple(sorted((*self.hosts, host), key=lambda one: one.seat))
        return tuple(self._open[host.id] for host in self.hosts if host.id not in known)

    def _connected(self, host: Host) -> Session:
        session = self._open[host.id] = self.connect(host)
        session.epoch = self.space.epoch
        if self._closed:  # nobody has waited for it
            session.close()
        return session

    def _try(self, host: Host, turns: AbstractContextManager[object] = NO_TURNS) -> None:
        try:
            with turns:
                self._connected(host)
        except Failure as failure:
            if not host.out:
                self._silent[host.id] = failure

    @property
    def renew_every(self) -> float:
        """Seconds between two renewals of a lease."""
        return self.time_to_live * RENEW_EVERY / TIME_TO_LIVE

    def second_store(self) -> Store:
        """The store through another agent, where the first host has it: for renewals while the first one is busy."""
        if not isinstance(self.ledger.store.beneath, HostStore):
            return self.ledger.store.beneath
        return self.acknowledged(self.first.second(), lambda: [session.second() for session in self.holders])

    def acknowledged(self, first: Session, others: Others) -> Store:
        """The first host's store, acknowledged by one of these others."""
        return AcknowledgedStore(first, others, lambda: self.space.epoch)

    @property
    def holders(self) -> tuple[Session, ...]:
        """Sessions with the hosts that may hold a copy of the first one's store: those that count and answer.
        StoreAlone where there are others, none of them answers, and nobody has decided to do without them."""
        found = tuple(session for session in self.answering if session.host.id != self.first.host.id)
        undecided = [one for one in self.missing if one.host.id not in self.decided]
        if undecided and not found:
            reasons = "\n".join(f"{one.host.id}: {one.failure.paragraphs()[0]}" for one in undecided)
            raise StoreAlone(self.first.host.id, reasons)
        return found

    def begin_change(self, upgrade: Callable[[OpenSpace], None] = prepare_every_host) -> None:
        """Before a change: ToolTooOld where a newer deployer has changed this space. Where an older one prepared its
        hosts they are brought up to date, and older ones hear of us."""
        self.check_tool()
        if is_older(self.space.tool, VERSION):
            upgrade(self)
            self.space = replace(self.space, tool=VERSION)
            self.ledger.save_space(self.space)

    def check_tool(self) -> None:
        """ToolTooOld where a newer deployer has changed this space."""
        if is_older(VERSION, self.space.tool):
            raise ToolTooOld(self.space.name, VERSION, self.space.tool)

    def close(self) -> None:
        """End all connections."""
        self._closed = True
        for session in {id(one): one for one in (self._first, *self._open.values()) if one}.values():
            session.close()


@contextmanager
def open_space(
    pointer: Pointer,
    dial: Connect | None = None,
    time_to_live: float = TIME_TO_LIVE,
    person: Person = NOBODY,
) -> Iterator[OpenSpace]:
    """Connect to the space that a pointer leads to, by the host that is the first one now; SpaceStopped for a sandbox
    that is down, SpaceEmpty where its store holds none, FirstHostAway, FirstHostMoved. `person` can be asked for a
    passphrase."""
    with ExitStack() as stack:
        space, pointer, dial_any = _opened_where_it_is(pointer, dial, time_to_live, person, stack)
        stack.callback(space.close)
        try:
            yield space
        except OldEpoch as old:
            raise moved(pointer, dial_any, old) from old
        note(pointer, space.space, space.hosts)


def _opened_where_it_is(
    pointer: Pointer, dial: Connect | None, time_to_live: float, person: Person, stack: ExitStack
) -> tuple[OpenSpace, Pointer, Connect]:
    """The space, by its first host or by the one that has been made so since; with the pointer and the way there."""
    dial_any = dial or dialler(pointer, person)
    try:
        return _opened(pointer, dial_any, time_to_live, stack), pointer, dial_any
    except GONE as failure:
        present = follow(pointer, dial_any, failure)
    dial_any = dial or dialler(present, person)
    space = _opened(present, dial_any, time_to_live, stack)
    space.moved_from = pointer.first.id
    return space, present, dial_any


def _opened(pointer: Pointer, dial: Connect, time_to_live: float, stack: ExitStack) -> OpenSpace:
    store, first = _store_of(pointer, dial, stack)
    ledger = Ledger(store, whoami())
    ledger.expect_hosts(sorted({host.id for host in (pointer.first, *pointer.hosts) if host.id}))
    space = OpenSpace(
        ledger.space(), ledger, first, dial, time_to_live, state=pointer.store if pointer.ledger else None
    )
    if space.state is not None:
        space.asks = partial(_asked, space.state)
    if first is not None:
        ledger.store.beneath = space.acknowledged(first, lambda: space.holders)
    return space


def _asked(state: StoreAddress, silent: Sequence[Host], known: Sequence[Host]) -> Fates:
    """What AWS says of hosts that do not answer. It loads much, which other commands do without."""
    from deployer.operations.cloud_gone import look

    return look(state, silent, known)


def _store_of(pointer: Pointer, dial: Connect, stack: ExitStack) -> tuple[Store, Session | None]:
    """The space's store, and the session with the first host where it lies there."""
    if (address := pointer.ledger or pointer.store) is not None:
        return S3Store(address), None
    first = dial(pointer.first)
    stack.callback(first.close)
    return HostStore(first), first


def whoami() -> str:
    """Who stands in releases: `user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
