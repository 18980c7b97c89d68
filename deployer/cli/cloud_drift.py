"""`spaces:refresh`: what is not as deployer left it in AWS, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from deployer.operations.cloud_proposal import Proposal
from infra.changes import Change

WORDS = {"create": "is not there", "update": "was changed", "replace": "was changed", "delete": "is too much"}


def lines(found: Proposal) -> list[str]:
    """The screen: by noun what is gone and what was changed."""
    head = f"=== {found.name} in AWS, {found.after.region}, account {found.account}"
    changes = found.changes or ()
    if not changes:
        return [head, "Everything is as deployer left it."]
    one_thing, many = "1 thing is not as deployer left it.", f"{len(changes)} things are not as deployer left them."
    told = [head, one_thing if len(changes) == 1 else many]
    for noun, some in groupby(changes, lambda one: one.noun):
        told += ["", noun.replace("-", " ").capitalize(), *(line for one in some for line in _about(one))]
    return [*told, "", f"`deployer up --space {found.name}` puts it right."]


def _about(one: Change) -> Iterator[str]:
    """A change of `up` is what somebody has done, backwards."""
    yield f"  {one} {WORDS[one.verb]}"
    for field in one.fields:
        yield f"    {field.path}: is {field.old or 'nothing'}, should be {field.new or 'nothing'}"


def as_json(found: Proposal) -> dict[str, Any]:
    """`is` and `should` are texts, empty where there is nothing."""
    drift = [
        {
            "noun": one.noun,
            "kind": one.kind,
            "name": one.name,
            "what": {"create": "missing", "delete": "too much"}.get(one.verb, "changed"),
            "fields": [{"path": field.path, "is": field.old, "should": field.new} for field in one.fields],
        }
        for one in found.changes or ()
    ]
    return {"space": found.name, "account": found.account, "region": found.after.region, "drift": drift}
