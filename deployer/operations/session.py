"""A space that is open: its ledger, and sessions with its hosts."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deployer.errors.ledger import ToolTooOld
from deployer.model.lease import RENEW_EVERY, TIME_TO_LIVE
from deployer.model.space import Host, Pointer, Space
from deployer.operations.prepare import prepare_every_host
from deployer.remote.agent import Session, connect
from deployer.remote.reach import NOBODY, Person, Reach
from deployer.remote.store import HostStore
from deployer.spaces.sandbox.state import check_runs
from deployer.store.base import Store
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from deployer.version import VERSION, is_older

MOST_AT_ONCE = 16  # connections that are opened at the same time
Connect = Callable[[Host], Session]


@dataclass
class OpenSpace:
    """A space whose store has answered; hosts are dialled when `sessions` or `first` is first asked for, the first one
    earlier where the store is its. Leases that are taken here live for `time_to_live` seconds."""

    space: Space
    ledger: Ledger
    _first: Session | None
    connect: Connect
    time_to_live: float = TIME_TO_LIVE
    _sessions: tuple[Session, ...] = field(default=())

    @property
    def first(self) -> Session:
        """The first host."""
        if self._first is None:
            self._first = self._sessions[0] if self._sessions else self.connect(self.ledger.hosts()[0])
        return self._first

    @property
    def sessions(self) -> tuple[Session, ...]:
        """One session for each host, by seat; the first failure to connect is raised when all have been tried."""
        if not self._sessions:
            known = [self._first] if self._first else []
            others = [host for host in self.ledger.hosts() if host.id not in {session.host.id for session in known}]
            with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
                futures = [threads.submit(self.connect, host) for host in others]
            found = [*known, *(future.result() for future in futures)]
            self._sessions = tuple(sorted(found, key=lambda session: session.host.seat))
        return self._sessions

    def reach_every_host(self) -> None:
        """Connect to all hosts now, so that one that does not answer is known before anything begins."""
        assert self.sessions

    @property
    def renew_every(self) -> float:
        """Seconds between two renewals of a lease."""
        return self.time_to_live * RENEW_EVERY / TIME_TO_LIVE

    def second_store(self) -> Store:
        """The store through another agent, where the first host has it: for renewals while the first one is busy."""
        return HostStore(self.first.second()) if isinstance(self.ledger.store, HostStore) else self.ledger.store

    def begin_change(self, upgrade: Callable[[OpenSpace], None] = prepare_every_host) -> None:
        """Before a change: ToolTooOld where a newer deployer has changed this space. Where an older one prepared its
        hosts they are brought up to date, and older ones hear of us."""
        if is_older(VERSION, self.space.tool):
            raise ToolTooOld(self.space.name, VERSION, self.space.tool)
        if is_older(self.space.tool, VERSION):
            upgrade(self)
            self.space = replace(self.space, tool=VERSION)
            self.ledger.save_space(self.space)

    def close(self) -> None:
        """End all connections."""
        for session in {id(one): one for one in (self._first, *self._sessions) if one}.values():
            session.close()


@contextmanager
def open_space(
    pointer: Pointer,
    dial: Connect | None = None,
    time_to_live: float = TIME_TO_LIVE,
    person: Person = NOBODY,
) -> Iterator[OpenSpace]:
    """Connect to the space that a pointer leads to; SpaceStopped for a sandbox that is down, SpaceEmpty where its store
    holds none. `person` can be asked for a passphrase."""
    dial = dial or dialler(pointer, person)
    with ExitStack() as stack:
        store, first = _store_of(pointer, dial, stack)
        ledger = Ledger(store, whoami())
        space = OpenSpace(ledger.space(), ledger, first, dial, time_to_live)
        stack.callback(space.close)
        yield space


def _store_of(pointer: Pointer, dial: Connect, stack: ExitStack) -> tuple[Store, Session | None]:
    """The space's store, and the session with the first host where it lies there."""
    if pointer.store is not None:
        return S3Store(pointer.store), None
    first = dial(pointer.first)
    stack.callback(first.close)
    return HostStore(first), first


def dialler(pointer: Pointer, person: Person = NOBODY) -> Connect:
    """How hosts of a space are reached from this machine: by the space's own key, or as the user's ssh would."""
    if pointer.kind == "ssh":
        return Reach(person, pointer.targets).connect
    return partial(_dial, pointer)


def _dial(pointer: Pointer, host: Host) -> Session:
    check_runs(pointer)
    return connect(host, Path(pointer.identity))


def whoami() -> str:
    """Who stands in releases: `user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
