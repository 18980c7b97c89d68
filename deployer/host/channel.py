"""The agent's side of the channel: messages in and out, and the end of it.

A message is a JSON line; where it holds `"bytes": N`, N raw bytes follow the newline. One thread reads, so that the
end of the channel is noticed while a call works: it then raises `ChannelClosed` in the main thread by a signal, and
the call's `finally` blocks undo what is half done.
"""

from __future__ import annotations

import json
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any

from deployer.errors.base import HostFailure
from deployer.host.paths import Paths

Message = dict[str, Any]
Listener = Callable[[Message, bytes], None]
LONGEST_LINE = 64 << 20
LONGEST_DATA = 256 << 20
WAITING = 4  # messages read ahead of the call that takes them: a stream of blobs must not fill the memory


class ChannelClosed(BaseException):
    """The caller is gone, or a newer command ended this agent. No failure: nobody is left to read one."""


class Channel:
    """Messages to and from the caller. `paths` says where things lie on this host."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes], paths: Paths) -> None:
        self.paths = paths
        self._reader = reader
        self._writer = writer
        self._writing = threading.Lock()
        self._changed = threading.Condition()  # of what follows
        self._waiting: deque[tuple[Message, bytes]] = deque()
        self._listener: Listener | None = None
        self._guarded = False
        self._survives = False
        self._interrupted = False
        self._ended = threading.Event()

    @property
    def closed(self) -> bool:
        """Whether the caller is gone."""
        return self._ended.is_set()

    def start(self) -> None:
        """Begin to read. Only the main thread may call this: it is the one that gets interrupted."""
        signal.signal(signal.SIGUSR1, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)
        threading.Thread(target=self._read, name="channel", daemon=True).start()

    def event(self, message: Message, data: bytes = b"") -> None:
        """Tell the caller something: `{"event": NAME, ...}`, and bytes. Says nothing where nobody listens any more."""
        self._send(message, data)

    def result(self, value: Message) -> None:
        """The call's answer."""
        self._send({"result": value}, b"")

    def error(self, code: str, details: Message) -> None:
        """The call's failure."""
        self._send({"error": {"code": code, "details": details}}, b"")

    def receive(self, timeout: float | None = None) -> tuple[Message, bytes]:
        """The next message and its bytes; ChannelClosed at the end of the channel, TimeoutError after `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting or self.closed, timeout):
                raise TimeoutError
            if not self._waiting:
                raise ChannelClosed
            received = self._waiting.popleft()
            self._changed.notify_all()
            return received

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Have every message given to `listener`, in the reading thread and in order, instead of keeping it for
        `receive`; those that wait come first. While it works no further message is read."""
        with self._changed:
            while self._waiting:
                listener(*self._waiting.popleft())
            self._listener = listener
            self._changed.notify_all()
        try:
            yield
        finally:
            self._listener = None  # without the lock: a listener that is stuck must not hold up the call's end

    @contextmanager
    def guarding(self, *, survives: bool) -> Iterator[None]:
        """While a call runs: it is interrupted when it is ended or, unless it `survives`, when the channel closes."""
        self._survives = survives
        self._guarded = True
        try:
            if self.closed and not survives:
                raise ChannelClosed
            yield
        finally:
            self._guarded = False

    def _send(self, message: Message, data: bytes) -> None:
        if data:
            message = {**message, "bytes": len(data)}
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._writing:
                self._writer.write(line + data)
                self._writer.flush()
        except (BrokenPipeError, ConnectionResetError):
            if not self._survives:
                raise ChannelClosed from None

    def _read(self) -> None:
        try:
            while (received := read_message(self._reader)) is not None:
                self._hand_over(received)
        finally:
            with self._changed:
                self._ended.set()
                self._changed.notify_all()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def _hand_over(self, received: tuple[Message, bytes]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._listener or len(self._waiting) < WAITING)
            if self._listener:
                self._listener(*received)
            else:
                self._waiting.append(received)
                self._changed.notify_all()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._guarded and not self._survives:
            self._end()

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self._interrupted:  # once: the clean-up that follows is not interrupted again
            self._interrupted = True
            raise ChannelClosed


def read_message(reader: IO[bytes]) -> tuple[Message, bytes] | None:
    """The next message of a stream and its bytes; None at the end, also in the middle of a message."""
    line = reader.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    message = json.loads(line)
    if not isinstance(message, dict):
        raise HostFailure("bad-request", {"reason": "a message is a JSON object"})
    size = message.get("bytes", 0)
    if not isinstance(size, int) or not 0 <= size <= LONGEST_DATA:
        raise HostFailure("bad-request", {"reason": f"{size!r} bytes"})
    data = reader.read(size) if size else b""
    return (message, data) if len(data) == size else None
