"""An app's log lines from every host of its space, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deployer.errors.apps import AppNotFound
from deployer.model.events import Tell
from deployer.model.log_line import LogLine
from deployer.operations.follow import follow, line_of
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


def logs(space: OpenSpace, app: str, wanted: Filter, tell: Tell) -> Iterator[LogLine]:
    """The lines, oldest first. Filters apply before the count (on Heroku after it: a known surprise).
    `tell` hears of connections that end while lines are waited for."""
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
    return follow(space, request, tell) if wanted.follow else _history(space, request)


def _history(space: OpenSpace, request: dict[str, Any]) -> Iterator[LogLine]:
    def read(session: Session) -> list[LogLine]:
        lines: list[LogLine] = []
        session.call("logs", request, lambda message, data: lines.append(line_of(message)))
        return lines

    merged = list(heapq.merge(*fan_out(space.answering, read), key=lambda line: line.time))
    yield from merged[-request["lines"] :]
