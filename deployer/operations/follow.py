"""The lines that an app's hosts write from now on. A connection that ends, as a tunnel does after an hour, is made
again, and goes on after the last line that arrived."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.errors.aws import AwsUnreachable
from deployer.errors.base import Failure
from deployer.errors.hosts import HostGone
from deployer.errors.remote import ConnectionLost, HostUnreachable
from deployer.errors.tunnel import TunnelsTaken
from deployer.model.events import Detail, Tell, Warn
from deployer.model.log_line import LogLine
from deployer.model.space import Host
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session

LOST = (ConnectionLost, HostUnreachable, AwsUnreachable, TunnelsTaken, OSError)  # what may be over soon
# Seconds before each try to connect again; after the last one the host is given up.
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 30.0, 30.0)
LOOK_EVERY = 5.0  # seconds between two looks for a host in the place of one that is gone
LASTED = 60.0  # seconds after which a connection counts as one that worked


def line_of(message: Mapping[str, Any]) -> LogLine:
    """The line in an agent's event."""
    return LogLine(message["time"], message["source"], message["dyno"], message["text"])


def follow(space: OpenSpace, request: Mapping[str, Any], tell: Tell) -> Iterator[LogLine]:
    """Lines as the hosts send them, until every host is given up. Of one that is, `tell` hears why. In AWS those of
    hosts that come in the place of one that is gone, too."""
    tail = _Tail(space, request, tell)
    try:
        yield from tail.lines(space.answering)
    finally:
        tail.ended.set()


@dataclass
class _Tail:
    """Lines of all hosts on their way. What arrives beside them says that there is one host more, or one fewer."""

    space: OpenSpace
    request: Mapping[str, Any]
    tell: Tell
    arrived: queue.Queue[LogLine | int] = field(default_factory=queue.Queue)
    ended: threading.Event = field(default_factory=threading.Event)
    gone: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))  # hosts that somebody replaces

    def lines(self, sessions: Sequence[Session]) -> Iterator[LogLine]:
        """Until nobody sends any more, and nobody is to come."""
        for session in sessions:
            self.begin(session)
        if self.space.asks is not None:
            threading.Thread(target=self._await_others, daemon=True).start()
        for _ in self.space.ended:
            self.gone.release()
        hosts = len(sessions) + len(self.space.ended)
        while hosts:
            line = self.arrived.get()
            if isinstance(line, int):
                hosts += line
            else:
                yield line

    def begin(self, session: Session) -> None:
        """Hear one host more, which is counted already."""
        threading.Thread(target=self._read, args=(session,), daemon=True).start()

    def _read(self, session: Session) -> None:
        follower = Follower(self.space.again, session, self.request, self.arrived.put, self.tell, self.ended)
        follower.why_gone = self.space.why_gone
        follower.follow()
        if follower.is_gone:  # it counts until another one has come in its place
            self.gone.release()
        else:
            self.arrived.put(-1)

    def _await_others(self) -> None:
        """For each host that is gone look until another one has come."""
        while not self.ended.is_set():
            self.gone.acquire()
            while not (come := self.space.newcomers()):
                if self.ended.wait(LOOK_EVERY):
                    return
            self.arrived.put(len(come) - 1)
            for session in come:
                self.tell(Detail(f"{session.host.id} has come: what it writes stands here, too."))
                self.begin(session)


@dataclass
class Follower:
    """One host's lines. `again` connects to it anew; when `ended` is set nobody listens any more; `why_gone` says why a
    host that does not answer never will, or nothing. `cursor` is where the journal goes on, `tries` how often the
    connection was made again since it last worked."""

    again: Callable[[Session], Session]
    session: Session
    request: Mapping[str, Any]
    put: Callable[[LogLine], None]
    tell: Tell
    ended: threading.Event
    pauses: Sequence[float] = PAUSES
    clock: Callable[[], float] = time.monotonic
    cursor: str = ""
    tries: int = 0
    why_gone: Callable[[Host], str] = lambda host: ""
    is_gone: bool = False

    def follow(self) -> None:
        """Until nobody listens, or the host is given up."""
        try:
            while not self.ended.is_set():
                self._read()
        except (Failure, OSError) as error:
            if not self.ended.is_set():
                self.tell(Warn(f"{self._name}: {_said(error)} What it writes does not stand here any more."))

    def _read(self) -> None:
        begun = self.clock()
        try:
            asked = {**self.request, "cursor": self.cursor} if self.cursor else self.request
            self.session.call("logs", asked, self._hear)
            raise ConnectionLost(self._name, "logs", "The agent ended.")
        except LOST as error:
            if self.clock() - begun > LASTED:
                self.tries = 0
            self._reconnect(error)

    def _hear(self, message: Mapping[str, Any], data: bytes) -> None:
        self.tries = 0
        self.cursor = message.get("cursor", "")
        self.put(line_of(message))

    def _reconnect(self, error: Failure | OSError) -> None:
        if self.ended.is_set():
            return
        self.tell(Warn(f"{self._name}: the connection ended. Connecting again..."))
        while self.tries < len(self.pauses):
            if self.ended.wait(self.pauses[self.tries]):
                return
            self.tries += 1
            try:
                self.session = self.again(self.session)
            except LOST as failed:
                if why := self.why_gone(self.session.host):
                    self.is_gone = True
                    raise HostGone(self._name, why) from failed
                error = failed
                continue
            self.tell(Detail(f"{self._name}: connected again; it goes on where it stopped."))
            return
        raise error

    @property
    def _name(self) -> str:
        return self.session.host.id


def _said(error: Failure | OSError) -> str:
    return error.paragraphs()[0] if isinstance(error, Failure) else f"{error}."
