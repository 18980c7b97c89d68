"""What a run leaves: one JSON file for each step, and a summary. No account's number and no secret is written.

`stable` is what two runs have in common, for tests: without times, ids and random digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

Patterns = tuple[tuple[re.Pattern[str], str], ...]
ACCOUNT = "000000000000"
DETAIL = " " * 7  # before lines of progress
SECRETS: Patterns = (
    (re.compile(r"arn:aws:secretsmanager:[^\s\"']+"), "[secret]"),
    (re.compile(r"\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"), "[key]"),
    (re.compile(r"(?i)(passphrase|password|secret|token)(=|: )\S+"), r"\1\2[secret]"),
    (re.compile(r"\b\d{12}\b"), ACCOUNT),
    (re.compile(r"\b[\w.+-]+@[\w-]+(\.[\w-]+)+\b"), "[address]"),
)
# What AWS, Pulumi and the clock choose; the longer ones first.
CHOSEN: Patterns = (
    (re.compile(r"\bsmoke-[0-9a-f]{6}\b"), "smoke-0a1b2c"),
    (re.compile(r"(?<=-state-)[0-9a-f]{6}\b"), "0a1b2c"),
    (re.compile(r"(smoke-0a1b2c(?:-[a-z]+\d*)*)-[0-9a-f]{7}\b"), r"\1-0a1b2c3"),
    (re.compile(r"\b((?:[a-z]+-)+)(?:[0-9a-f]{17}|[0-9a-f]{8})\d*\b"), r"\g<1>0a1b2c3d"),
    (re.compile(r"(?<=:host)-[0-9a-f]{7}\b"), "-0a1b2c3"),
    (re.compile(r"\bdb-[A-Z0-9]{26}\b"), "db-0A1B2C3D"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "0a1b2c3d"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "0a1b2c3d"),
    (re.compile(r"(?<=\.)[a-z]{10}(?=\.acm-validations)"), "example"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z| UTC)?"), "2026-01-01 12:00"),
    (re.compile(r"\b\d+ s\b"), "… s"),
    (re.compile(r"\b127([.-]\d+){3}\b"), "127.0.0.1"),
)


@dataclass
class Record:
    """`write` shows a line on the screen."""

    folder: Path
    space: str
    write: Callable[[str], object]
    steps: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rung: str, step: str, **facts: Any) -> dict[str, Any]:
        """Keep what is known of a step; the file is there before the next step begins."""
        told = redacted({"number": len(self.steps) + 1, "rung": rung, "step": step, **facts})
        self.steps.append(told)
        self._save(f"{len(self.steps):02}-{rung}-{step}", told)
        return dict(told)

    def end(self, **facts: Any) -> dict[str, Any]:
        """The summary."""
        brief = ("number", "rung", "step", "command", "status", "seconds", "checks")
        steps = [{key: one[key] for key in brief if key in one} for one in self.steps]
        told = redacted({**facts, "steps": steps})
        self._save("summary", told)
        return dict(told)

    def _save(self, name: str, value: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.json").write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def redacted(value: Any) -> Any:
    """The value without secrets and numbers of accounts, all texts in it and the keys of tables included."""
    return _mapped(value, lambda text: _replaced(text, SECRETS))


def stable(value: Any) -> Any:
    """The value without what differs between two runs of the same program."""
    known = _mapped(value, lambda text: _replaced(text, CHOSEN))
    return _timeless(known)


def _timeless(value: Any) -> Any:
    """Also in what order the engine did things that need not wait for each other is its own choice."""
    if isinstance(value, dict):
        return {key: SAME[key](one) if key in SAME else _timeless(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_timeless(one) for one in value]
    return value


def _in_order(lines: list[str]) -> list[str]:
    """The lines, those of the progress below a step sorted."""
    runs = groupby(lines, lambda line: line.startswith(DETAIL))
    return [line for is_detail, run in runs for line in (sorted(run) if is_detail else run)]


SAME: Mapping[str, Callable[[Any], Any]] = {"seconds": lambda value: 0, "said": _in_order}


def _replaced(text: str, patterns: Patterns) -> str:
    for pattern, instead in patterns:
        text = pattern.sub(instead, text)
    return text


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    return value


def files(folder: Path) -> Iterator[dict[str, Any]]:
    """The steps that a record holds, in their order."""
    for path in sorted(folder.glob("[0-9]*.json")):
        yield json.loads(path.read_text())
