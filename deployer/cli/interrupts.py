"""Ctrl-C, a closed terminal and `kill`: each begins as a KeyboardInterrupt in the main thread, which undoes what a
command began and frees what it held. The same again does not cut that off half-way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNDOING = b"\n !     Undoing or finishing what was begun. Ctrl-C once more leaves it as it is.\n"


@contextmanager
def undoing_once() -> Iterator[None]:
    """Handle the signals so for the block. One that was ignored before (`nohup`) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handle = _Interrupts()
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Interrupts:
    """The first signal interrupts, the second is answered in words, the third Ctrl-C interrupts the undoing too. git
    ends its helper with SIGTERM after the Ctrl-C that both got: that one is only counted."""

    def __init__(self) -> None:
        self._signals = 0
        self._told = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1 or (self._told and number == signal.SIGINT):
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            self._told = True
            os.write(2, UNDOING)  # print could be what was interrupted
