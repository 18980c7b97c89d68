"""A space that is open: its ledger, and sessions with its hosts."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
from deployer.version import VERSION, is_older

MOST_AT_ONCE = 16  # connections that are opened at the same time
Connect = Callable[[Host], Session]


@dataclass
class OpenSpace:
    """A space whose first host has answered; the others are dialled when `sessions` is first asked for. Leases that are
    taken here live for `time_to_live` seconds."""

    space: Space
    ledger: Ledger
    first: Session
    connect: Connect
    time_to_live: float = TIME_TO_LIVE
    _sessions: tuple[Session, ...] = field(default=())

    @property
    def sessions(self) -> tuple[Session, ...]:
        """One session for each host, by seat; the first failure to connect is raised when all have been tried."""
        if not self._sessions:
            others = [host for host in self.ledger.hosts() if host.id != self.first.host.id]
            with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
                futures = [threads.submit(self.connect, host) for host in others]
            found = [self.first, *(future.result() for future in futures)]
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
        """The store through another agent on the first host: for renewals while the first one is busy."""
        return HostStore(self.first.second())

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
        for session in self._sessions or (self.first,):
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
    if dial is None:
        check_runs(pointer)
    dial = dial or dialler(pointer, person)
    first = dial(pointer.first)
    try:
        ledger = Ledger(HostStore(first), whoami())
        space = OpenSpace(ledger.space(), ledger, first, dial, time_to_live)
    except BaseException:
        first.close()
        raise
    try:
        yield space
    finally:
        space.close()


def dialler(pointer: Pointer, person: Person = NOBODY) -> Connect:
    """How hosts of a space are reached from this machine: by the space's own key, or as the user's ssh would."""
    if pointer.kind == "ssh":
        return Reach(person, pointer.targets).connect
    return lambda host: connect(host, Path(pointer.identity))


def whoami() -> str:
    """Who stands in releases: `user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
