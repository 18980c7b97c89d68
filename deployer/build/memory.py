"""Programs whose result is remembered: what they looked at the last time, and whether any of it has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deployer.build import keys
from deployer.build.keys import Facts

MOST_NAMED = 5  # files of one reason


@dataclass(frozen=True, slots=True)
class Record:
    """What the program said of itself. Paths are relative to the app; `output` is the folder that it filled, if any."""

    read: tuple[str, ...]
    output: str | None
    volatile: tuple[str, ...]


def parse(text: str) -> Record:
    """The record that a program wrote (see `buildpacks.plan.Remembered`). It is the jail's word: paths that lead
    out of the app are dropped, and a result without a record that can be read is never reused."""
    try:
        data = json.loads(text)
        read = [path for path in map(_relative, data["read"]) if path]
        output = _relative(data["output"]) if data["output"] else None
        return Record(tuple(sorted(read)), output, tuple(map(str, data["volatile"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Record((), None, ("it left no record of what it read",))


def _relative(path: str) -> str | None:
    """`a/b` for `/app/a/b`."""
    inside = path.removeprefix("/app/")
    parts = inside.split("/")
    return None if inside == path or any(part in ("", ".", "..") for part in parts) else inside


def checked(record: Record, app: Path, paths: Sequence[str]) -> Record:
    """The record without a result that can be no layer: a folder that is none, or that holds files of the source."""
    if record.output is None:
        return record
    place = app / record.output
    if not place.is_dir() or place.resolve() != app.resolve() / record.output:
        return replace(record, output=None, volatile=(*record.volatile, f"{record.output} is no folder of the app"))
    if any(path.startswith(f"{record.output}/") for path in paths):
        return replace(record, output=None, volatile=(*record.volatile, f"the source has files in {record.output}"))
    return record


def encode(record: Record) -> dict[str, object]:
    """For `decode`, as JSON."""
    return {"read": record.read, "output": record.output, "volatile": record.volatile}


def decode(data: Mapping[str, Any]) -> Record:
    """What `encode` made."""
    return Record(tuple(data["read"]), data["output"], tuple(data["volatile"]))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides besides the files that were read: layers by digest, config vars by digest, facts of the plan."""

    layers: Facts
    config: str
    facts: Facts

    def as_facts(self) -> Facts:
        """All of it, labelled."""
        layers = {f"layer {name}": digest for name, digest in self.layers.items()}
        return {**layers, **{f"fact {key}": value for key, value in self.facts.items()}, "all config vars": self.config}


def facts_of(record: Record, app: Path, paths: Sequence[str], around: Surroundings) -> Facts:
    """Everything that the result depends on, as it is now."""
    files = {f"file {path}": keys.of_path(app, path) for path in record.read}
    below = f"{record.output}/" if record.output else "\0"
    others = [path for path in paths if not path.startswith(below)]
    return {**around.as_facts(), **files, "paths": json.dumps(others)}


def reasons(record: Record, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Why the result cannot be used again: what always stands against it, and what has changed."""
    changed = {key: value for key, value in before.items() if key != "paths"}
    told = keys.reasons(changed, {key: value for key, value in now.items() if key != "paths"})
    return [*record.volatile, *told, *_paths(before["paths"], now["paths"])]


def _paths(before: str, now: str) -> list[str]:
    old, new = set(json.loads(before)), set(json.loads(now))
    return [*_named("new", sorted(new - old)), *_named("gone", sorted(old - new))]


def _named(what: str, paths: list[str]) -> list[str]:
    if not paths:
        return []
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return [f"{', '.join(paths[:MOST_NAMED])}{more} {'is' if len(paths) == 1 else 'are'} {what}"]
