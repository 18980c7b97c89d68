"""What was typed and seen, and its place in the README: pure text in, text out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

BEGIN, END = "<!-- demo: begin -->", "<!-- demo: end -->"
# What differs between two runs of the same demo, so that the README changes only when the program does.
UNSTABLE = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\b\d+(\.\d+)?( ?)(ms|s|seconds)(?=[\s,.;)]|$)"), r"0.0\2\3"),
    (re.compile(r"\b\d+(\.\d+)?( ?)(B|bytes|KB|MB|K|M|KiB|MiB)\b"), r"0\2\3"),
    (re.compile(r"(?<=\.localhost):\d+"), ":8080"),
    (re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?[+-]\d{4}|Z)?"), "2026-01-01 12:00:00"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"), "0a1b2c3"),
    (re.compile(r"\b((?:[a-z]+-)+)\d{4,5}\b"), r"\g<1>12345"),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """One command line and the lines that it printed, stdout and stderr in the order in which they came."""

    command: str
    lines: tuple[str, ...]


def render(session: Sequence[Typed]) -> str:
    """As a terminal shows it: `$ command`, then its output."""
    return "\n".join(line for typed in session for line in (f"$ {typed.command}", *typed.lines)) + "\n"


def stable(text: str) -> str:
    """The text without what differs from run to run: durations, sizes, times, commits, generated names."""
    for pattern, instead in UNSTABLE:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def placed(document: str, picture: str) -> str:
    """The document with the picture, and nothing else, between its markers."""
    before, _, rest = document.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the document has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n```console\n{picture}```\n{END}{after}"
