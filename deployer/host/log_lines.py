"""Journal entries as the lines of an app's log.

Two kinds are not there as lines: requests, which HAProxy logs in its own words, and crashes, which systemd alone sees
when no agent runs. Nothing an app writes can become another app's line: whose an entry is says the unit it came from,
which journald itself notes, never a field that its sender chose.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress

from deployer.host import router_line
from deployer.host.journal_reader import (
    FAILED,
    OUT_OF_MEMORY,
    PROCESS_EXIT,
    RESTART_SCHEDULED,
    STARTED,
    SUCCEEDED,
    Entry,
    text,
)
from deployer.host.units import DYNO, RUN, TASK
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.log_line import LogLine

LONGEST = 10_000  # bytes: Heroku splits longer lines
CHANGED = "State changed from "


class Teller:
    """Makes lines of entries that come in the order of time, remembering in which state they left each dyno."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._states: dict[str, str] = {}
        self._exited: set[str] = set()

    def lines(self, entry: Entry) -> list[LogLine]:
        """The lines of one entry; none where it is not this app's."""
        time = int(entry["__REALTIME_TIMESTAMP"])
        return [LogLine(time, source, dyno, part) for source, dyno, said in self._said(entry) for part in split(said)]

    def _said(self, entry: Entry) -> Iterator[tuple[str, str, str]]:
        if text(entry, "_PID") == "1":
            dyno = dyno_of(text(entry, "UNIT"))
            if dyno and dyno.app == self._app:
                yield from (("heroku", dyno.name, said) for said in self._of_systemd(entry, dyno))
        elif text(entry, "_SYSTEMD_UNIT") == "haproxy.service":
            request = router_line.parse(text(entry, "MESSAGE"))
            if request and request.app == self._app:
                yield "heroku", "router", request.text
        else:
            yield from self._of_app(entry)

    def _of_app(self, entry: Entry) -> Iterator[tuple[str, str, str]]:
        dyno = dyno_of(text(entry, "_SYSTEMD_UNIT"))
        message = text(entry, "MESSAGE")
        if dyno:
            if dyno.app == self._app:
                yield "app", dyno.name, message
        elif text(entry, "_UID") == "0" and text(entry, "DEPLOYER_APP") == self._app:
            name = text(entry, "DEPLOYER_DYNO")
            if message.startswith(CHANGED):
                self._states[name] = message.rpartition(" ")[2]
            elif message.startswith("Starting process"):
                self._states[name] = "starting"
            yield text(entry, "DEPLOYER_SOURCE"), name, message

    def _of_systemd(self, entry: Entry, dyno: Dyno) -> Iterator[str]:
        """Only after a crash does systemd start a dyno by itself. An exit it tells of where that was no success."""
        kind = text(entry, "MESSAGE_ID")
        if kind == OUT_OF_MEMORY:
            yield "Error R15 (Memory quota vastly exceeded)"
        elif kind == PROCESS_EXIT:
            self._exited.add(dyno.instance)
            yield f"Process exited with status {exit_status(text(entry, 'EXIT_CODE'), text(entry, 'EXIT_STATUS'))}"
        elif kind == RESTART_SCHEDULED:
            yield from self._ended(dyno, "crashed")
        elif kind in (SUCCEEDED, FAILED) and dyno.process_type == "run":
            yield from self._ended(dyno, "complete")
        elif kind == STARTED and self._states.get(dyno.name) == "crashed":
            yield self._change(dyno.name, "starting")

    def _ended(self, dyno: Dyno, state: str) -> Iterator[str]:
        if dyno.instance not in self._exited:
            yield "Process exited with status 0"
        self._exited.discard(dyno.instance)
        yield self._change(dyno.name, state)

    def _change(self, name: str, state: str) -> str:
        before, self._states[name] = self._states.get(name, "up"), state
        return f"{CHANGED}{before} to {state}"


def about_app(app: str, entry: Entry) -> bool:
    """Whether an entry makes a line of the app's log, as far as one entry alone can tell."""
    if text(entry, "MESSAGE_ID") == STARTED:
        dyno = dyno_of(text(entry, "UNIT"))
        return dyno is not None and dyno.app == app
    return bool(Teller(app).lines(entry))


def dyno_of(unit: str) -> Dyno | None:
    """The dyno that a unit runs; None for other units."""
    for template in (DYNO, TASK, RUN):
        prefix, suffix = template.split("{}")
        if unit.startswith(prefix) and unit.endswith(suffix):
            with suppress(ValueError):
                return parse_instance(unit.removeprefix(prefix).removesuffix(suffix))
    return None


def exit_status(code: str, status: str) -> int:
    """systemd's EXIT_CODE and EXIT_STATUS as a shell's status: 137 for `killed`, `9` (or `KILL`)."""
    number = int(status) if status.isdigit() else int(getattr(signal, f"SIG{status}", 0))
    return number if code == "exited" else 128 + number


def split(message: str) -> Iterator[str]:
    """A message's lines, none longer than Heroku's."""
    for line in message.rstrip("\n").split("\n"):
        raw = line.encode(errors="surrogateescape")
        for at in range(0, max(len(raw), 1), LONGEST):
            yield raw[at : at + LONGEST].decode(errors="surrogateescape")
