"""Heroku's grammar of output: data on stdout, progress on stderr, headers, aligned values, tables, times."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from deployer.model.codec import encode

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "grey": 90, "bold": 1, "dim": 2}
YOUNG = 25 * 3600  # seconds: younger times are also said in words
MARK = "⬢"
WARNING = " !     "
NARROWEST = 40  # columns that words want
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class Output:
    """Where words go. `colours` for stdout and stderr are decided once, at the start. `width` is that of the terminal,
    0 where stdout is none: what is piped keeps its lines."""

    out: TextIO
    err: TextIO
    colour_out: bool = False
    colour_err: bool = False
    verbose: bool = False
    width: int = 0

    def print(self, text: str = "") -> None:
        """A line of data."""
        self.out.write(text + "\n")

    def say(self, text: str = "") -> None:
        """A line of progress."""
        self.err.write(text + "\n")
        self.err.flush()

    def json(self, value: Any) -> None:
        """Data for programs: two spaces, nothing else on stdout."""
        text = json.dumps(encode(value), indent=2, ensure_ascii=False)
        # Bytes that are no UTF-8 are lone surrogates, which JSON can say: raw they would make it no JSON.
        self.print(SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))

    def header(self, title: str) -> None:
        """`=== title`."""
        self.print(self.paint("bold", f"=== {title}"))

    def values(self, pairs: Mapping[str, str], *, colour: str = "") -> None:
        """`KEY:   value`, aligned to the longest key; further lines of a value stand below its first."""
        width = max((len(key) for key in pairs), default=0) + 2
        for key, value in pairs.items():
            first, *rest = [part for line in value.split("\n") for part in self.wrapped(line, left=width)]
            label = self.paint(colour, f"{key}:") + " " * (width - len(key) - 1)
            self.print(f"{label}{first}".rstrip() if not first else f"{label}{first}")
            for line in rest:
                self.print(" " * width + line)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns two blanks apart, below their titles."""
        for line in table_lines(titles, list(rows)):
            self.print(line)

    def warn(self, text: str) -> None:
        """` !     TEXT` on stderr, each of its lines."""
        for line in (part for whole in text.split("\n") for part in self.wrapped(whole, left=len(WARNING))):
            self.say(f"{self.paint_err('red', ' !')}     {line}".rstrip())

    def wrapped(self, line: str, *, left: int = 0) -> list[str]:
        """The line, broken between words where the terminal is too narrow for it: `left` columns are taken. What
        follows stands a little to the right of its beginning."""
        room = self.width - left
        if not self.width or len(line) <= room or room < NARROWEST:
            return [line]
        import textwrap

        indent = " " * (len(line) - len(line.lstrip()) + 2)
        return textwrap.wrap(line, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)

    def app(self, name: str) -> str:
        """`⬢ name`; without the mark where this terminal cannot show it."""
        return self.paint("magenta", _marked(name, self.out))

    def app_err(self, name: str) -> str:
        """The same, for stderr."""
        return self.paint_err("magenta", _marked(name, self.err))

    def paint(self, colour: str, text: str) -> str:
        """Coloured for stdout, if it takes colours."""
        return _painted(colour, text) if self.colour_out and colour else text

    def paint_err(self, colour: str, text: str) -> str:
        """Coloured for stderr, if it takes colours."""
        return _painted(colour, text) if self.colour_err and colour else text


def standard(env: Mapping[str, str]) -> Output:
    """This process's own streams."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # values may hold bytes that are no text: they leave as they came
            stream.reconfigure(errors="surrogateescape" if stream.encoding.lower() == "utf-8" else "replace")
    out, err = (takes_colour(stream.isatty(), env) for stream in (sys.stdout, sys.stderr))
    return Output(sys.stdout, sys.stderr, out, err, width=columns(sys.stdout))


def columns(stream: TextIO) -> int:
    """Of the terminal that the stream is; 0 where it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0


def takes_colour(is_terminal: bool, env: Mapping[str, str]) -> bool:
    """NO_COLOR wins, then FORCE_COLOR, then whether it is a terminal that can."""
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR") not in (None, "", "0"):
        return True
    return is_terminal and env.get("TERM") != "dumb"


def table_lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; nothing trails."""
    every = [list(titles), *rows]
    widths = [max(len(row[n]) for row in every) for n in range(len(titles))]
    rule = ["─" * width for width in widths]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (titles, rule, *rows)
    ]
    return [line.rstrip() for line in lines]


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV, which spreadsheets read."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([titles, *rows])
    return text.getvalue()


def moment(text: str, now: datetime) -> str:
    """A time of the ledger as Heroku shows it: `2026/09/30 14:05:06 +0000 (~ 6m ago)`."""
    at = datetime.fromisoformat(text)
    shown = at.astimezone(UTC).strftime("%Y/%m/%d %H:%M:%S +0000")
    age = (now - at).total_seconds()
    return f"{shown} (~ {ago(age)} ago)" if 0 <= age < YOUNG else shown


def ago(seconds: float) -> str:
    """`6m`: one unit."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    return f"{seconds // 60:.0f}m" if seconds < 3600 else f"{seconds // 3600:.0f}h"


def size(count: int) -> str:
    """Bytes for people: `43.4 MB`."""
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _marked(name: str, stream: TextIO) -> str:
    try:
        MARK.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return name
    return f"{MARK} {name}"


def _painted(colour: str, text: str) -> str:
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"
