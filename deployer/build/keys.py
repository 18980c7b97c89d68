"""What decides a layer's content, as labelled facts, and why one is made again: the difference of two sets of facts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from buildpacks.plan import Layer, Run

ABSENT = "absent"
Facts = dict[str, str]


def of_layer(layer: Layer, app: Path, environment: Mapping[str, str], config: Mapping[str, str]) -> Facts:
    """Everything that decides a layer: files by digest, facts, values of config vars, and how it is made."""
    files = {f"file {path or '.'}": of_path(app, path) for path in layer.inputs}
    facts = {f"fact {name}": value for name, value in layer.facts.items()}
    seen = {f"config {name}": _digest(config[name]) for name in layer.config_vars if name in config}
    return {**files, **facts, **seen, "how": how(layer.steps, environment), "path": layer.path}


def how(steps: tuple[Run, ...], environment: Mapping[str, str]) -> str:
    """A digest of the commands and their environment."""
    commands = [[*step.command, sorted(step.env.items())] for step in steps]
    return _digest(json.dumps([commands, sorted(environment.items())]))


def name_of(facts: Facts) -> str:
    """The folder that a layer with these facts is kept in."""
    return _digest(json.dumps(facts, sort_keys=True))[:32]


def reasons(before: Mapping[str, str] | None, now: Mapping[str, str]) -> list[str]:
    """Why what was made `before` does not count any more: every reason. Empty where nothing was made before."""
    if before is None:
        return []
    labels = sorted({*before, *now}, key=lambda label: (not label.startswith("file"), label))
    return [
        _reason(label, before.get(label), now.get(label)) for label in labels if before.get(label) != now.get(label)
    ]


def _reason(label: str, old: str | None, new: str | None) -> str:
    kind, _, name = label.partition(" ")
    if kind == "file":
        return _file_reason("the source" if name == "." else name, old, new)
    if kind == "fact":
        return f"{name} changed from {old} to {new}" if old and new else f"{name} is now {new or 'not set'}"
    if kind == "config":
        return f"the config var {name} changed"
    return {"how": "deployer makes it another way now", "path": "it lies elsewhere now"}.get(kind, f"{label} changed")


def _file_reason(name: str, old: str | None, new: str | None) -> str:
    if old in (None, ABSENT):
        return f"{name} is new"
    return f"{name} is gone" if new in (None, ABSENT) else f"{name} changed"


def of_path(app: Path, path: str) -> str:
    """A digest of a file, or of everything in a folder; ABSENT where there is nothing. Never leaves the app by a
    link."""
    real = Path(os.path.realpath(app / path))
    if not real.is_relative_to(os.path.realpath(app)):
        return _digest(str(real))
    if real.is_dir():
        return _of_folder(real)
    return hashlib.sha256(real.read_bytes()).hexdigest() if real.is_file() else ABSENT


def _of_folder(folder: Path) -> str:
    lines = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            file = Path(root, name)
            relative = os.fsencode(file.relative_to(folder))
            content = (
                os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes() if file.is_file() else b""
            )
            lines.append(hashlib.sha256(content).hexdigest().encode() + b" " + relative)
    return hashlib.sha256(b"\0".join(sorted(lines))).hexdigest()


def of_paths(app: Path, without: frozenset[str]) -> tuple[str, ...]:
    """The paths of everything in the app but what lies below `without`, sorted."""
    found: list[str] = []
    _collect(str(app), "", without, found)
    return tuple(sorted(found))


def _collect(folder: str, prefix: str, without: frozenset[str], found: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if path in without:
                continue
            if entry.is_dir(follow_symlinks=False):
                _collect(entry.path, f"{path}/", without, found)
            else:
                found.append(path)


def of_config(config: Mapping[str, str]) -> str:
    """A digest of all config vars."""
    return _digest(json.dumps(sorted(config.items())))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
