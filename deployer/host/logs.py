"""The call `logs`: an app's lines on this host, the newest so many of those that fit, and those that come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deployer.host import journal_reader
from deployer.host.channel import Channel
from deployer.host.journal_reader import Entry
from deployer.host.log_lines import Teller, about_app
from deployer.model.log_line import LogLine

MOST = 10_000  # lines
AT_ONCE = 200  # entries read beyond those asked for, so that a crash's line knows what came before it
LOOKED_AT = 500_000  # entries at most, backwards: a quiet app beside a busy one


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines: of one dyno (`web.1`, `router`), one process type, one source (app, heroku)."""

    dyno: str | None = None
    type: str | None = None
    source: str | None = None

    def takes(self, line: LogLine) -> bool:
        """Whether a line fits."""
        return (
            self.dyno in (None, line.dyno)
            and self.type in (None, line.dyno.partition(".")[0])
            and self.source in (None, line.source)
        )


def logs(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Events `line {time, source, dyno, text, cursor}`, oldest first; with `follow` until the channel closes. `cursor`
    goes on after what a line came from, where a connection was lost."""
    app, wanted = request["app"], Filter(request.get("dyno"), request.get("type"), request.get("source"))
    teller, cursor = Teller(app), request.get("cursor")
    if not cursor:
        entries = list(newest(app, wanted, journal_reader.newest_first(app), min(request["lines"], MOST)))
        cursor = entries[-1]["__CURSOR"] if entries else None
        history = [(line, entry) for entry in entries for line in teller.lines(entry) if wanted.takes(line)]
        for line, entry in history[max(0, len(history) - request["lines"]) :]:
            _tell(channel, line, entry)
    if request.get("follow"):
        for entry in journal_reader.coming(app, cursor):
            for line in teller.lines(entry):
                if wanted.takes(line):
                    _tell(channel, line, entry)
    return {}


def newest(app: str, wanted: Filter, entries: Iterator[Entry], count: int) -> list[Entry]:
    """From entries that come newest first: the fewest that make `count` lines that fit, and some before them, oldest
    first. The newest entry is always among them: what follows goes on from there."""
    taken: list[Entry] = []
    found = beyond = 0
    for looked_at, entry in enumerate(entries):
        relevant = about_app(app, entry)
        if relevant or not taken:
            taken.append(entry)
        if found < count:
            found += sum(map(wanted.takes, Teller(app).lines(entry))) if relevant else 0
        else:
            beyond += 1
        if (found >= count and beyond >= AT_ONCE) or looked_at > LOOKED_AT:
            break
    return taken[::-1]


def _tell(channel: Channel, line: LogLine, entry: Entry) -> None:
    message = {"time": line.time, "source": line.source, "dyno": line.dyno, "text": line.text}
    channel.event({"event": "line", **message, "cursor": entry["__CURSOR"]})
