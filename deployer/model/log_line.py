"""One line of an app's log, as `deployer logs` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    """`time` in microseconds since 1970; `source` is app or heroku; `dyno` is web.1, run.4821, router, api ..."""

    time: int
    source: str
    dyno: str
    text: str

    @property
    def stamp(self) -> str:
        """As Heroku writes it: RFC 3339 with microseconds and `+00:00`."""
        return (EPOCH + timedelta(microseconds=self.time)).isoformat(timespec="microseconds")

    def __str__(self) -> str:
        return f"{self.stamp} {self.source}[{self.dyno}]: {self.text}"
