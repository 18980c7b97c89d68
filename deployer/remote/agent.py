"""Calling the agent on a host: one SSH connection, one agent in `serve` mode, one call after another."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from deployer.errors.host import failure
from deployer.errors.remote import AgentNotInstalled, ConnectionLost
from deployer.model.space import Host
from deployer.remote import ssh
from deployer.remote.bundle import Bundle, bootstrap_source, bundle
from deployer.remote.connection import Broken, Connection, Pipe

T = TypeVar("T")
Message = dict[str, Any]
OnEvent = Callable[[Message, bytes], None]
ROOT = "/srv/deployer"
MISSING = 97  # the exit status that says: this version of the agent is not there
PYTHON = "/usr/bin/python3"  # the system's own, whatever a login shell puts before it on its PATH
START = f'[ -e "$1/__main__.py" ] || exit {MISSING}; exec {PYTHON} -I "$@"'
CHUNK = 1 << 18
UNDONE = 45.0  # seconds that an agent may take to undo a call: a dyno that does not heed SIGTERM takes 30 of them


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program on a host ended."""

    status: int
    printed: str
    complained: str


def ignore(message: Message, data: bytes) -> None:
    """Hear nothing."""


def connect(host: Host, identity: Path, dial: ssh.Dial = ssh.dial) -> Session:
    """A session with a host; HostUnreachable, HostKeyChanged, AuthenticationRefused or IdentityUnreadable."""
    return Session(host, ssh.connect(host, identity, dial))


class Session:
    """Calls to one host's agent, one at a time; the agent starts at the first one, copied there where it is missing.
    `root` and `system` are the agent's folders (deployer.host.paths), other than the defaults only in tests."""

    def __init__(
        self, host: Host, connection: Connection, *, root: str = ROOT, system: str = "/", owns: bool = True
    ) -> None:
        self.host = host
        self.connection = connection
        self.root = root
        self.system = system
        self.epoch: int | None = None  # of the ledger that this command goes by, told with every call
        self.sent = 0  # bytes given to the agent so far
        self._owns = owns
        self._stream: Stream | None = None
        self._exchange: Exchange | None = None

    def call(self, call: str, request: Mapping[str, Any] = {}, on_event: OnEvent = ignore) -> Message:
        """Run a call to its end and return its result; the failure for the agent's error code, or ConnectionLost."""
        with self.exchange(call, request) as exchange:
            return exchange.result(on_event)

    def exchange(self, call: str, request: Mapping[str, Any] = {}) -> Exchange:
        """Begin a call that messages go to and fro in. Left early, it ends the agent, and so the call."""
        if self._exchange is not None and not self._exchange.finished:
            # It was cut off before anybody could leave it: its answers are not to be taken for ours.
            self.end_agent(UNDONE)
        self._exchange = Exchange(self, call)
        self._exchange.send(self.message(call, request))
        return self._exchange

    def message(self, call: str, request: Mapping[str, Any]) -> Message:
        """The first message of a call."""
        return {"call": call, **({} if self.epoch is None else {"epoch": self.epoch}), **request}

    def run(self, words: Sequence[str], *, as_root: bool = True, given: bytes = b"") -> Ran:
        """Run a program of the host's own to its end; `given` is its standard input."""
        pipe = self.start_as_root(words) if as_root else self.connection.open(list(words))
        if given:
            pipe.write(given)
        pipe.close_writing()
        printed = b"".join(iter(lambda: pipe.read(CHUNK), b""))
        status = pipe.wait()
        return Ran(status, printed.decode(errors="replace"), pipe.errors().strip())

    def start_as_root(self, words: Sequence[str]) -> Pipe:
        """Start a program of the host's own."""
        return self.connection.open(self._as_root(*words))

    def second(self) -> Session:
        """Another agent over the same connection, to be called while this one is busy."""
        second = Session(self.host, self.connection, root=self.root, system=self.system, owns=False)
        second.epoch = self.epoch
        return second

    def end_agent(self, patience: float = 0.0) -> None:
        """End the agent and with it whatever call runs; wait at most `patience` seconds until it has undone what was
        half done. The next call starts another agent."""
        self.hang_up()
        stream, self._stream = self._stream, None
        if stream is not None:
            if patience:
                stream.pipe.ends_within(patience)
            stream.close()

    def hang_up(self) -> None:
        """Tell the agent that nobody listens any more: whoever waits for its answer hears when it has ended."""
        if self._stream is not None:
            with suppress(Broken):
                self._stream.pipe.close_writing()

    def close(self) -> None:
        """End the agent, and the connection where this session opened it."""
        self.end_agent()
        if self._owns:
            self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def begin(self) -> None:
        """Start the agent, without waiting for it; what is wrong shows at the first call."""
        with suppress(Broken):
            self.stream()

    def stream(self) -> Stream:
        """The messages to and from the agent, which starts where it does not run. For exchanges."""
        if self._stream is None:
            self._stream = Stream(self._start())
        return self._stream

    def _start(self) -> Pipe:
        folder = f"{self.root}/agent/{bundle().name}"
        options = [f"--root={self.root}", f"--system={self.system}"]
        return self.connection.open(self._as_root("sh", "-c", START, "sh", folder, *options, "serve"))

    def install(self, program: Bundle | None = None, folder: str = "") -> None:
        """Copy the agent, or another program, to the host."""
        program, folder = program or bundle(), folder or f"{self.root}/agent"
        pipe = self.start_as_root([PYTHON, "-I", "-c", bootstrap_source(), folder, program.name])
        pipe.write(program.archive())
        pipe.close_writing()
        while pipe.read(CHUNK):
            pass
        status = pipe.wait()
        if status != 0:
            raise AgentNotInstalled(self.host.id, status, pipe.errors().strip()[-1000:])
        pipe.close()

    def _as_root(self, *words: str) -> list[str]:
        return list(words) if self.host.user == "root" else ["sudo", "-n", *words]


class Exchange:
    """One call in which messages go to and fro."""

    def __init__(self, session: Session, call: str) -> None:
        self._session = session
        self._call = call
        self._sent: list[tuple[Message, bytes]] | None = []  # until the agent has answered for the first time
        self.finished = False
        self._stream = self._connected(session.stream)

    def send(self, message: Message, data: bytes = b"") -> None:
        """Send a message, and bytes."""
        if self._sent is not None:
            self._sent.append((message, data))
        try:
            self._session.sent += self._stream.send(message, data)
        except Broken as error:
            if not self._install_and_repeat():
                raise self._lost(str(error)) from error

    def receive(self) -> tuple[Message, bytes]:
        """The next event and its bytes, or the last message, `{"result": ...}`; raises the failure for an error."""
        received = self._stream.receive()
        if received is None and self._install_and_repeat():
            received = self._stream.receive()
        if received is None:
            raise self._lost("")
        self._sent = None
        message, data = received
        self.finished = "result" in message or "error" in message
        if "error" in message:
            error = message["error"]
            raise failure(self._session.host.id, error["code"], error["details"])
        return message, data

    def result(self, on_event: OnEvent = ignore) -> Message:
        """The call's result, after all its events."""
        while True:
            message, data = self.receive()
            if "result" in message:
                result: Message = message["result"]
                return result
            on_event(message, data)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self.finished:
            # What comes next must not meet a host that is still undoing.
            self._session.end_agent(UNDONE)

    def _install_and_repeat(self) -> bool:
        """Where this version of the agent is not on the host: put it there and say everything again."""
        if self._sent is None or self._stream.pipe.wait() != MISSING:
            return False
        self._session.end_agent()
        self._connected(self._session.install)
        self._stream = self._connected(self._session.stream)
        for message, data in self._sent:
            self._session.sent += self._connected(partial(self._stream.send, message, data))
        return True

    def _connected(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except Broken as error:
            raise ConnectionLost(self._session.host.id, self._call, str(error)) from error

    def _lost(self, reason: str) -> ConnectionLost:
        said = self._stream.pipe.errors().strip()[-1000:] or reason
        if not said:
            status = self._stream.pipe.wait()
            said = "The connection ended." if status == -1 else f"The agent ended with exit status {status}."
        return ConnectionLost(self._session.host.id, self._call, said)


class Stream:
    """Messages over a pipe: JSON lines, each with raw bytes after it where it says `"bytes"`."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self._buffer = bytearray()

    def send(self, message: Message, data: bytes) -> int:
        if data:
            message = {**message, "bytes": len(data)}
        sent = json.dumps(message, separators=(",", ":")).encode() + b"\n" + data
        self.pipe.write(sent)
        return len(sent)

    def receive(self) -> tuple[Message, bytes] | None:
        line = self._line()
        if line is None:
            return None
        message: Message = json.loads(line)
        data = self._exactly(message.get("bytes", 0))
        return None if data is None else (message, data)

    def close(self) -> None:
        self.pipe.close()

    def _line(self) -> bytes | None:
        looked_at = 0
        while (end := self._buffer.find(b"\n", looked_at)) < 0:
            looked_at = len(self._buffer)
            if not self._fill():
                return None
        return self._take(end + 1)

    def _exactly(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            if not self._fill():
                return None
        return self._take(size)

    def _fill(self) -> bool:
        got = self.pipe.read(CHUNK)
        self._buffer += got
        return bool(got)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
