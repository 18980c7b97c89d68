"""Events of operations as Heroku's build output: `-----> Title`, details below, ` !     ` for what needs attention."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import singledispatchmethod

from deployer.model.events import Changed, Detail, Doing, Done, Event, Output, Reached, Step, Timing, Warn

INDENT = "       "


class Narrator:
    """A `tell` for operations that writes what it hears. Threads may call it; a line is never torn."""

    def __init__(self, write: Callable[[str], None], *, verbose: Callable[[], bool] = lambda: False) -> None:
        self._write = write
        self._verbose = verbose
        self._lock = threading.Lock()
        self._in_line = False  # `Doing` has written a line that `Done` is to end

    def __call__(self, event: Event) -> None:
        """Write an event."""
        with self._lock:
            self._tell(event)

    def briefly(self, event: Event) -> None:
        """Leave out steps and their details: for changes that Heroku tells in a line or two."""
        if self._verbose() or isinstance(event, (Output, Warn, Doing, Reached, Done)):
            self(event)

    def quietly(self, event: Event) -> None:
        """Write only what nobody should miss, inside an action whose line the command itself writes."""
        if self._verbose() or isinstance(event, (Output, Warn)):
            self(event)

    def break_off(self) -> None:
        """End the line of an action that failed: `Creating app... !`."""
        with self._lock:
            if self._in_line:
                self._write("!\n")
                self._in_line = False

    @singledispatchmethod
    def _tell(self, event: Event) -> None:
        raise NotImplementedError(event)

    @_tell.register
    def _(self, event: Step) -> None:
        self._lines("-----> ", event.title)

    @_tell.register
    def _(self, event: Detail) -> None:
        self._lines(INDENT, event.text)

    @_tell.register
    def _(self, event: Output) -> None:
        self._lines(INDENT, event.line)

    @_tell.register
    def _(self, event: Warn) -> None:
        self._lines(" !     ", event.text)

    @_tell.register
    def _(self, event: Changed) -> None:
        if self._verbose():
            self._lines(INDENT, f"{event.host}: {event.what}")

    @_tell.register
    def _(self, event: Timing) -> None:
        if self._verbose():
            sent = f", {event.sent} bytes sent" if event.sent else ""
            self._lines(INDENT, f"{event.phase}: {event.seconds:.2f} s{sent}")

    @_tell.register
    def _(self, event: Doing) -> None:
        self._end_line()
        self._write(f"{event.text}... ")
        self._in_line = True

    @_tell.register
    def _(self, event: Reached) -> None:
        if self._in_line:
            self._write(f"{event.text}, ")

    @_tell.register
    def _(self, event: Done) -> None:
        self._write(", ".join(filter(None, ["done", event.text])) + "\n")
        self._in_line = False

    def _lines(self, prefix: str, text: str) -> None:
        self._end_line()
        self._write("".join(f"{prefix}{line}".rstrip() + "\n" for line in text.split("\n")))

    def _end_line(self) -> None:
        if self._in_line:
            self._write("\n")
            self._in_line = False
