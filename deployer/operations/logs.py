"""An app's log lines from every host of its space, in the order of time."""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from deployer.errors.apps import AppNotFound
from deployer.errors.base import Failure
from deployer.model.log_line import LogLine
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines: the newest `lines` of those that fit, on every host; then, with `follow`, those that come."""

    lines: int = 100
    follow: bool = False
    dyno: str | None = None
    process_type: str | None = None
    source: str | None = None


def logs(space: OpenSpace, app: str, wanted: Filter) -> Iterator[LogLine]:
    """The lines, oldest first. Filters apply before the count (on Heroku after it: a known surprise)."""
    if space.ledger.app(app) is None:
        raise AppNotFound(app, space.space.name)
    request = {
        "app": app,
        "lines": wanted.lines,
        "follow": wanted.follow,
        "dyno": wanted.dyno,
        "type": wanted.process_type,
        "source": wanted.source,
    }
    return _follow(space, request) if wanted.follow else _history(space, request)


def _history(space: OpenSpace, request: dict[str, Any]) -> Iterator[LogLine]:
    def read(session: Session) -> list[LogLine]:
        lines: list[LogLine] = []
        session.call("logs", request, lambda message, data: lines.append(_line(message)))
        return lines

    merged = list(heapq.merge(*fan_out(space.answering, read), key=lambda line: line.time))
    yield from merged[-request["lines"] :]


def _follow(space: OpenSpace, request: dict[str, Any]) -> Iterator[LogLine]:
    """Lines as the hosts send them; a host whose connection ends is left out, the others go on."""
    arrived: queue.Queue[LogLine | None] = queue.Queue()

    def read(session: Session) -> None:
        with suppress(Failure, OSError):
            session.call("logs", request, lambda message, data: arrived.put(_line(message)))
        arrived.put(None)

    for session in space.answering:
        threading.Thread(target=read, args=(session,), daemon=True).start()
    open_hosts = len(space.answering)
    while open_hosts:
        line = arrived.get()
        if line is None:
            open_hosts -= 1
        else:
            yield line


def _line(message: dict[str, Any]) -> LogLine:
    return LogLine(message["time"], message["source"], message["dyno"], message["text"])
