"""What was typed and seen, and its place in the README: pure text in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

WHO = "ada@laptop"
# What differs between two runs of the same demo, so that the README changes only when the program does.
UNSTABLE = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\(~ [^)]* ago\)"), "(~ 1m ago)"),
    (re.compile(r"\b\d+(\.\d+)?( ?)m?(s|seconds)(?=[\s,.;)]|$)"), r"…\2\3"),
    (re.compile(r"\b\d+(\.\d+)?( ?)(B|bytes|KB|MB|K|M|KiB|MiB)\b"), r"…\2\3"),
    (re.compile(r"\bin \d+ new files?"), "in … new files"),
    (re.compile(r"(?<=\.localhost):\d+"), ":8080"),
    (re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?[+-]\d{4}|Z)?"), "2026-01-01 12:00:00"),
    (re.compile(r"(?<=Deploy )[0-9a-f]{7,40}|\b[0-9a-f]{7,40}(?=\.\.)|(?<=\.\.)[0-9a-f]{7,40}\b"), "0a1b2c3"),
    (re.compile(r"\bpostgresql-[a-z]+-\d{5}\b"), "postgresql-gentle-12345"),
    (re.compile(r"\brun\.\d{4}\b"), "run.1234"),
    (re.compile(r"(?<=  )[\w.-]+@[\w.-]+(?=  )"), WHO),
    (re.compile(r"\bHEROKU_POSTGRESQL_[A-Z]+_URL"), "HEROKU_POSTGRESQL_GREEN_URL"),
)
# Columns of a table are as wide as what stands in them before it is made stable.
GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
# What is done once on a machine, or depends on what else goes on there: a step and its details.
ONCE = re.compile(r"-----> (Making the platform image|Waiting for another build)")
DETAIL = re.compile(r"(remote: )?       ")
DOWNLOAD = re.compile(r"(remote: )? +(Downloading|Downloaded|Building|Built|Prepared|Resolved) ")
# Of a long list of details only this many are shown.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Typed:
    """One command line and the lines that it printed, stdout and stderr in the order in which they came."""

    command: str
    lines: tuple[str, ...]


def render(session: Sequence[Typed]) -> str:
    """As a terminal shows it: `$ command`, then its output."""
    return "\n".join(line for typed in session for line in (f"$ {typed.command}", *typed.lines)) + "\n"


def stable(text: str) -> str:
    """The text as the README shows it: long lists shortened, without what differs from run to run."""
    return "".join(f"{normal(line)}\n" for line in shortened(without_once(text.splitlines())))


def normal(line: str) -> str:
    """The line without its durations, sizes, times, commits, generated names."""
    for pattern, instead in UNSTABLE:
        line = pattern.sub(instead, line)
    return (GAP.sub("  ", line) if WHO in line else line).rstrip()


def without_once(lines: Iterable[str]) -> Iterator[str]:
    """The lines without the steps that only some runs have."""
    skipping = False
    for line in lines:
        skipping = bool(ONCE.search(line)) or (skipping and bool(DETAIL.match(line)))
        if not skipping and not DOWNLOAD.match(line):
            yield line


def shortened(lines: Iterable[str]) -> Iterator[str]:
    """The lines; of each run of details the first few, and dots for the others."""
    for is_detail, group in groupby(lines, lambda line: bool(DETAIL.match(line))):
        run = list(group)
        if is_detail and len(run) > SHOWN + 1:
            prefix = DETAIL.match(run[0])
            run = [*run[:SHOWN], f"{prefix[0] if prefix else ''}..."]
        yield from run


def placed(document: str, picture: str, name: str = "demo") -> str:
    """The document with the picture of that name, and nothing else, between its markers."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the document has no {begin} ... {end}")
    return f"{before}{begin}\n```console\n{picture}```\n{end}{after}"
