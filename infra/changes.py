"""What a run changes in AWS, as values, out of the events of Pulumi's engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.kinds import MINUTES, word

# Pulumi's operations that change something, as ours. Of a replacement's three steps the one that names it counts, and
# the two others while it is done.
DONE_AT_ONCE = {"create": "create", "update": "update", "delete": "delete"}
VERBS = {**DONE_AT_ONCE, "replace": "replace"}
STEPS = {**DONE_AT_ONCE, "create-replacement": "create", "delete-replaced": "delete"}
NOUNS = ("network", "access", "store", "hosts", "load-balancer", "domain", "database", "budget")  # as they are made
HIDDEN = "[secret]"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # stands for what is known when a thing has been made
LONGEST = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Field:
    """One setting that changes: `old` or `new` is empty where there was or will be none. `replaces`: AWS cannot change
    it on the thing that is there."""

    path: str
    old: str
    new: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes: `verb` is create, update, replace or delete; `noun` the component that it is a part of;
    `minutes` how long that takes, (0, 0) where it is seconds."""

    verb: str
    noun: str
    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    minutes: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        return self.kind if self.name == self.kind else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Progress:
    """A change has begun, or has ended after some seconds; `failed` where it did not succeed."""

    change: Change
    ended: bool
    seconds: float = 0.0
    failed: bool = False


def changes(steps: Iterable[Any]) -> tuple[Change, ...]:
    """Those of a preview's steps (StepEventMetadata of the Automation API), by noun and name: the order of the engine
    differs from run to run."""
    found = [one for step in steps if (one := change(step, VERBS)) is not None]
    return tuple(sorted(found, key=lambda one: (NOUNS.index(one.noun) if one.noun in NOUNS else len(NOUNS), str(one))))


def change(step: Any, verbs: Mapping[str, str]) -> Change | None:
    """One step; None where it changes nothing, or is no thing of AWS."""
    verb = verbs.get(_text(step.op))
    if verb is None or not step.type.startswith("aws:"):
        return None
    noun, name = place(step.urn)
    minutes = MINUTES.get(step.type, {}).get("create" if verb == "replace" else verb, (0, 0))
    return Change(verb, noun, word(step.type), name, _fields(step) if verb in ("update", "replace") else (), minutes)


def place(urn: str) -> tuple[str, str]:
    """The noun and the name of a thing: `urn:pulumi:STACK::PROJECT::deployer:aws:network$aws:ec2/vpc:Vpc::vpc`."""
    kinds, name = urn.split("::")[2], urn.split("::", 3)[3]
    parent = kinds.partition("$")[0]
    return (parent.rpartition(":")[2] if "$" in kinds else ""), name


def _fields(step: Any) -> tuple[Field, ...]:
    old, new = _inputs(step.old), _inputs(step.new)
    return tuple(
        Field(leaf, _shown(before), _shown(after), _text(detail.diff_kind).endswith("replace"))
        for path, detail in sorted((step.detailed_diff or {}).items())
        for leaf, before, after in _leaves(path, _at(old, path), _at(new, path))
    )


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs inside of tables, and of lists that stay as long as they are."""
    if isinstance(old, dict) and isinstance(new, dict):
        inside = [(f"{path}.{key}", old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        inside = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(old, new, strict=True))]
    else:
        yield path, old, new
        return
    for where, before, after in inside:
        if before != after:
            yield from _leaves(where, before, after)


def _inputs(state: Any) -> Mapping[str, Any]:
    return (state.inputs or {}) if state else {}


def _at(values: Any, path: str) -> Any:
    """The value at `tags.Name` or `rules[0].id`; a key with a dot in it stands in brackets and quotes."""
    if path in values:
        return values[path]
    for key in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(values, list) and key.isdigit() and int(key) < len(values):
            values = values[int(key)]
        elif isinstance(values, dict) and key in values:
            values = values[key]
        else:
            return None
    return values


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    text = text.replace(UNKNOWN, "known later")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _text(value: Any) -> str:
    """Pulumi's enumerations are texts, and say so in several ways."""
    return str(getattr(value, "value", value))
