"""This terminal as a one-off dyno sees it: raw bytes both ways, its size, and what it was like put back at the end."""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CHUNK = 1 << 15  # bytes
HURRY = 1.0  # seconds in which four Ctrl-C end the connection, whatever the command does
INTERRUPT = b"\x03"


class LocalTerminal:
    """The process's own standard streams."""

    def __init__(self, *, tty: bool | None = None) -> None:
        self.tty = tty if tty is not None else sys.stdin.isatty() and sys.stdout.isatty()
        self.term = os.environ.get("TERM", "dumb")
        self.columns, self.rows = _size()
        self._interrupts: list[float] = []
        self._before: list[Any] | None = None

    def read(self) -> bytes:
        """The next bytes of standard input; none at its end."""
        data = os.read(sys.stdin.fileno(), CHUNK)
        if self.tty and INTERRUPT in data and self._is_impatient():
            self._put_back()
            os._exit(1)  # the main thread waits for a command that does not end: the connection closes with us
        return data

    def write(self, data: bytes, stream: str) -> None:
        """Bytes as they are; where output is no terminal, line ends lose the carriage return of the dyno."""
        target = sys.stderr if stream == "stderr" else sys.stdout
        if self.tty and not sys.stdout.isatty():
            data = data.replace(b"\r\n", b"\n")
        target.buffer.write(data)
        target.buffer.flush()

    def on_resize(self, tell: Callable[[int, int], None]) -> None:
        """Call `tell(columns, rows)` whenever the window changes."""
        if self.tty and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGWINCH, lambda number, frame: tell(*_size()))

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Every key goes to the command; the terminal's own settings come back whatever happens."""
        if not self.tty:
            yield
            return
        self._before = termios.tcgetattr(sys.stdin)
        try:
            tty.setraw(sys.stdin)
            yield
        finally:
            self._put_back()
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)

    def _put_back(self) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _is_impatient(self) -> bool:
        """Whether this is the fourth Ctrl-C within a second."""
        now = time.monotonic()
        self._interrupts = [*(at for at in self._interrupts if now - at < HURRY), now]
        return len(self._interrupts) >= 4


def _size() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
    except OSError:
        return 80, 24
    return columns or 80, rows or 24
