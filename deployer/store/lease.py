"""The expiring, numbered right to change an app or the space.

Its token grows by one at every take; hosts refuse tokens lower than the highest that they have seen. Whether it has
expired is judged by the store's clock alone: a laptop's may be an hour ahead, or have slept.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from deployer.errors.base import Failure
from deployer.errors.lease import LeaseHeld, LeaseLost
from deployer.model.lease import RENEW_EVERY, TIME_TO_LIVE, Lease
from deployer.store import keys, record
from deployer.store.base import Answers, Get, Lost, Op, Put, Store, Stored

POLL = 1.0  # seconds between two looks at a lease that is waited for
CLOCKS_MAY_DIFFER = 1.0  # seconds between the store's clock and what is taken for it: one round trip, and little else
Waiting = Callable[[LeaseHeld], None]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: what a refused colleague gets to read."""

    user: str
    host: str
    pid: int
    machine: str


def this_process() -> Holder:
    """The holder that this process is."""
    return Holder(_user(), socket.gethostname(), os.getpid(), _machine())


@dataclass(frozen=True, slots=True)
class _Seen:
    """The lease's etag, and the store's clock when it was seen. What is added to that clock since is this machine's
    own time, which stands still while it sleeps: `now` is never later than the store's clock really is."""

    etag: str
    at: float
    since: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """The store's clock now."""
        return self.at + time.monotonic() - self.since


@dataclass
class Held:
    """A lease that is ours. `check` before everything that others would notice, or write that through `batch`."""

    store: Store
    name: str
    lease: Lease
    _seen: _Seen | None
    time_to_live: float

    @property
    def token(self) -> int:
        """What every changing call to a host carries."""
        return self.lease.token

    def check(self) -> None:
        """Ask the store whether it is still ours, and prolong it; LeaseLost where somebody has taken it."""
        self.batch(())

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops` in the same round trip that asks, and only if it is ours: a Store for what must not be written
        without it. LeaseLost, or Lost where a condition of `ops` does not hold."""
        if self._seen is None:
            return self._batch_after_a_look(ops)
        now, seen = self._seen.now(), self._seen
        body = record.dump(replace(self.lease, expires=now + self.time_to_live))
        self._seen = None
        try:
            done = self.store.batch([Put(keys.lease(self.name), body, if_match=seen.etag), *ops])
        except Lost as lost:
            if lost.key != keys.lease(self.name):
                raise
            return self._batch_after_a_look(ops)  # our other thread has prolonged it, or somebody has taken it
        etag = done.answers[0]
        assert isinstance(etag, str)
        self._seen = _Seen(etag, done.now)
        if done.now - now > CLOCKS_MAY_DIFFER:  # this machine slept, and has written an end that is too early
            self._seen = _renew(self.store, self.name, self.lease, self.time_to_live)
        return Answers(done.now, done.answers[1:])

    def free(self) -> None:
        """Clear the holder and keep the token, if it is still ours."""
        if self._seen is not None:
            with suppress(Lost):
                _write(self.store, self.name, Lease(self.token), self._seen.etag)
                return
        _free(self.store, self.name, self.lease)

    def _batch_after_a_look(self, ops: Sequence[Op]) -> Answers:
        self._seen = _renew(self.store, self.name, self.lease, self.time_to_live)
        return self.store.batch(ops) if ops else Answers(self._seen.now(), ())


@contextmanager
def hold(
    store: Store,
    name: str,
    *,
    command: str,
    wait: float | None,
    second_store: Callable[[], Store],
    waiting: Waiting | None = None,
    time_to_live: float = TIME_TO_LIVE,
    renew_every: float = RENEW_EVERY,
) -> Iterator[Held]:
    """Hold the lease `name` (`app-NAME` or `space`), renewed meanwhile by a thread that calls `second_store` once the
    first renewal is due: `store` may be busy with a call that takes longer. LeaseHeld where somebody else has it for
    longer than `wait` seconds (None: refuse at once); `waiting` hears of every holder that is waited for."""
    held = Held(
        store, name, *_take(store, name, command, wait or 0, waiting or (lambda held: None), time_to_live), time_to_live
    )
    stop = threading.Event()
    renewer = threading.Thread(
        target=_keep, args=(second_store, name, held.lease, time_to_live, renew_every, stop), daemon=True
    )
    renewer.start()
    try:
        yield held
    finally:
        stop.set()
        # Freeing is a courtesy: without it the lease ends by itself, and what the block raised matters more.
        with suppress(Failure, OSError):
            held.free()
        renewer.join(timeout=1)


def look(store: Store, name: str) -> tuple[Lease, float] | None:
    """Who holds it, and the seconds until it ends, if it is not renewed; None where nobody does."""
    now, lease, _ = _read(store, name)
    return (lease, lease.expires - now) if lease.is_held(now) else None


def take_away(store: Store, name: str) -> None:
    """Clear the holder, whoever that is: at its next check it finds the lease lost."""
    _, lease, _ = _read(store, name)
    if lease.holder is not None:
        _free(store, name, lease)


def _take(
    store: Store, name: str, command: str, wait: float, waiting: Waiting, time_to_live: float
) -> tuple[Lease, _Seen]:
    deadline = time.monotonic() + wait
    while True:
        try:
            return _try_to_take(store, name, command, time_to_live)
        except LeaseHeld as held:
            if time.monotonic() >= deadline:
                raise
            waiting(held)
            time.sleep(min(POLL, max(0.0, deadline - time.monotonic())))


def _try_to_take(store: Store, name: str, command: str, time_to_live: float) -> tuple[Lease, _Seen]:
    """One try; a write that somebody else's overtook looks again, and then sees the holder."""
    while True:
        now, lease, etag = _read(store, name)
        if lease.is_held(now) and not _died_here(lease):
            left = round(lease.expires - now)
            raise LeaseHeld(_subject(name), lease.user, lease.host, lease.pid, lease.command, left)
        who = this_process()
        mine = Lease(
            token=lease.token + 1,
            holder=secrets.token_hex(8),
            user=who.user,
            host=who.host,
            pid=who.pid,
            machine=who.machine,
            command=command,
            expires=now + time_to_live,
        )
        with suppress(Lost):
            return mine, _Seen(_write(store, name, mine, etag), now)


def _keep(
    second_store: Callable[[], Store],
    name: str,
    lease: Lease,
    time_to_live: float,
    renew_every: float,
    stop: threading.Event,
) -> None:
    """Renew until told to stop, or until it is lost: the holder finds out at its next check."""
    store: Store | None = None
    while not stop.wait(renew_every):
        try:
            store = store or second_store()
            _renew(store, name, lease, time_to_live)
        except LeaseLost:
            return
        except (Failure, OSError):
            store = None  # the connection broke: a new one at the next turn


def _renew(store: Store, name: str, mine: Lease, time_to_live: float) -> _Seen:
    """Prolong it. Expired but taken by nobody, it is still ours; freed meanwhile, it is not."""
    while True:
        now, lease, etag = _read(store, name)
        if (lease.token, lease.holder) != (mine.token, mine.holder):
            raise LeaseLost(_subject(name), _describe(lease))
        with suppress(Lost):
            return _Seen(_write(store, name, replace(mine, expires=now + time_to_live), etag), now)


def _free(store: Store, name: str, mine: Lease) -> None:
    """Clear the holder and keep the token; a renewal that came between is written over."""
    while True:
        _, lease, etag = _read(store, name)
        if (lease.token, lease.holder) != (mine.token, mine.holder):
            return
        with suppress(Lost):
            _write(store, name, Lease(mine.token), etag)
            return


def _read(store: Store, name: str) -> tuple[float, Lease, str | None]:
    """The store's clock, the lease, and the etag that a change of it must match."""
    found = store.batch([Get(keys.lease(name))])
    stored = found.answers[0]
    if not isinstance(stored, Stored):
        return found.now, Lease(0), None
    return found.now, record.load(Lease, stored), stored.etag


def _write(store: Store, name: str, lease: Lease, etag: str | None) -> str:
    body = record.dump(lease)
    return record.put(store, Put(keys.lease(name), body, if_absent=etag is None, if_match=etag))


def _subject(name: str) -> str:
    for kind, words in (("app-", "⬢ "), ("host-", "")):
        if name.startswith(kind):
            return words + name.removeprefix(kind)
    return "the space"


def _describe(lease: Lease) -> str:
    return "nobody" if lease.holder is None else f"{lease.user} on {lease.host} (`{lease.command}`)"


def _died_here(lease: Lease) -> bool:
    """Whether the holder was a process of this machine that is gone: nobody has to wait for its lease to end. Were this
    ever wrong, the hosts would still refuse the older token."""
    if not lease.machine or lease.machine != _machine():
        return False
    try:
        os.kill(lease.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """This boot of this machine, and the namespace that its process numbers belong to; empty where it has no such."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _user() -> str:
    """The name of the person; a uid where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
