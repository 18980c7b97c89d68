"""A program that the caller talks to: through a terminal of its own, or through pipes.

To it: `{data}` with bytes, `{end}` of input, `{resize: [columns, rows]}`, `{signal: "INT"}`. From it: events `data`
with bytes and their `stream`. When the caller goes, so does the program.
"""

from __future__ import annotations

import fcntl
import os
import pty
import queue
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from deployer.host.channel import Channel

CHUNK = 1 << 16
AHEAD = 16  # pieces of input that wait for the program: a large file must not fill the memory
HANG_UP = 2.0  # seconds that a program gets after SIGHUP when its caller is gone
LAST_WORDS = 1.0  # seconds to wait for output of its children after it has ended
SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "QUIT": signal.SIGQUIT, "HUP": signal.SIGHUP}


def attend(words: Sequence[str], env: Mapping[str, str], channel: Channel, window: tuple[int, int] | None) -> int:
    """Run a program with the caller at its ends, in a terminal of `window` (columns, rows), or without one; its exit
    status, 128 + the signal where one ended it."""
    program = _in_terminal(words, env, window) if window else _in_pipes(words, env)
    try:
        listeners = [_thread(program.hear, stream, fd, channel) for stream, fd in program.outputs.items()]
        _thread(program.feed)
        with channel.listening(program.tell):
            status = program.process.wait()
        deadline = time.monotonic() + LAST_WORDS
        for thread in listeners:
            thread.join(max(0.0, deadline - time.monotonic()))
    finally:
        program.end()
    return 128 - status if status < 0 else status


class Program:
    """A running program, the descriptor of its input, and those of its outputs by stream."""

    def __init__(
        self, process: subprocess.Popen[bytes], entry: int, outputs: dict[str, int], *, terminal: bool
    ) -> None:
        self.process = process
        self.outputs = outputs
        self._entry = entry
        self._terminal = terminal
        self._waiting: queue.Queue[bytes | None] = queue.Queue(AHEAD)

    def tell(self, message: Mapping[str, Any], data: bytes) -> None:
        """Take a message of the caller."""
        if "data" in message or data:
            self._put(data)
        elif "end" in message:
            self._put(b"\x04" if self._terminal else None)
        elif "resize" in message and self._terminal:
            resize(self._entry, *message["resize"])
        elif message.get("signal") in SIGNALS:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, SIGNALS[message["signal"]])

    def _put(self, data: bytes | None) -> None:
        while self.process.poll() is None:
            with suppress(queue.Full):
                self._waiting.put(data, timeout=0.5)
                return

    def feed(self) -> None:
        """Give the program its input, as fast as it takes it; throw away what it no longer wants."""
        wanted = True
        while (data := self._waiting.get()) is not None:
            wanted = wanted and self._write(data)
        if not self._terminal:
            self._close_entry()

    def _write(self, data: bytes) -> bool:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._entry, view) :]
        except OSError:
            return False
        return True

    def hear(self, stream: str, descriptor: int, channel: Channel) -> None:
        """Pass its output on until it ends; a terminal's ends with an error."""
        with suppress(OSError), os.fdopen(descriptor, "rb", buffering=0) as output:
            while data := output.read(CHUNK):
                channel.event({"event": "data", "stream": stream}, data)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self._kill(signal.SIGHUP)
            try:
                self.process.wait(HANG_UP)
            except subprocess.TimeoutExpired:
                self._kill(signal.SIGKILL)
                self.process.wait()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._close_entry()

    def _kill(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _close_entry(self) -> None:
        entry, self._entry = self._entry, -1
        if entry >= 0:
            with suppress(OSError):
                os.close(entry)


def resize(terminal: int, columns: int, rows: int) -> None:
    """Tell a terminal, and so the program in it, how large its window is."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _thread(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _in_terminal(words: Sequence[str], env: Mapping[str, str], window: tuple[int, int]) -> Program:
    ours, theirs = pty.openpty()
    resize(ours, *window)
    # setsid makes it the program's controlling terminal: without that there is no Ctrl-C.
    process = subprocess.Popen(
        ["setsid", "--ctty", *words], env=env, cwd="/", stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    return Program(process, ours, {"stdout": os.dup(ours)}, terminal=True)


def _in_pipes(words: Sequence[str], env: Mapping[str, str]) -> Program:
    pipes = [os.pipe() for _ in range(3)]
    (stdin, entry), (out, stdout), (err, stderr) = pipes
    process = subprocess.Popen(
        words, env=env, cwd="/", stdin=stdin, stdout=stdout, stderr=stderr, close_fds=True, start_new_session=True
    )
    for descriptor in (stdin, stdout, stderr):
        os.close(descriptor)
    return Program(process, entry, {"stdout": out, "stderr": err}, terminal=False)
