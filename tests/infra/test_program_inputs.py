"""Every argument of the program is one that pulumi_aws knows: in nested ones the SDK lets anything through."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pulumi_aws as aws
import pytest
from pulumi import _types

from infra.records import Records
from tests.infra.recorder import SPECS, Made, run

FURTHER = ("www.shop.example",)
RUNS = {
    **{name: (spec, False) for name, spec in SPECS.items()},
    "certificate issued": (SPECS["domain"], True),
    "further domains": (replace(SPECS["domain"], domains=FURTHER), True),
}
ZONE = "Z0123"


@pytest.mark.parametrize("case", RUNS)
def test_every_argument_is_one_that_the_provider_knows(case: str) -> None:
    spec, issued = RUNS[case]
    records = tuple(Records(one, ZONE, there=True) for one in spec.domains)
    made = run(spec, certificate_issued=issued, zone=ZONE, proved=spec.domains, records=records).made
    assert made
    assert not [path for one in made for path in unknown(one.inputs, arguments(one), one.name)]


def test_an_argument_that_is_none_is_found() -> None:
    wrong = {"healthCheck": {"path": "/", "healthyTreshold": 2}, "prot": 80}
    group = Made("aws:lb/targetGroup:TargetGroup", "targets", wrong, "")
    assert sorted(unknown(wrong, arguments(group), "targets")) == [
        "targets.healthCheck.healthyTreshold",
        "targets.prot",
    ]


def arguments(one: Made) -> type:
    """`aws:lb/targetGroup:TargetGroup` has those of `TargetGroupArgs`, or of `TargetGroupInitArgs` where a nested type
    has taken the name; they stand beside the resource's own class."""
    _, place, name = one.kind.split(":")
    beside = sys.modules[getattr(getattr(aws, place.partition("/")[0]), name).__module__]
    found: type = getattr(beside, f"{name}InitArgs", None) or getattr(beside, f"{name}Args")
    return found


def unknown(inputs: dict[str, Any], kind: type, path: str) -> Iterator[str]:
    """The paths of keys that a type of arguments does not have."""
    names = set(_types.input_type_py_to_pulumi_names(kind).values())
    types = _types.input_type_types(kind)
    for key, value in inputs.items():
        if key not in names:
            yield f"{path}.{key}"
        elif (nested := record(types.get(key))) is not None:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):  # a policy may be a text as well
                    yield from unknown(each, nested, f"{path}.{key}")


def record(annotated: Any) -> type | None:
    """The type of arguments in `Sequence[Union[ThatArgs, Awaitable[...], ...]]`, if there is one."""
    if isinstance(annotated, type) and _types.is_input_type(annotated):
        return annotated
    return next((found for inner in typing.get_args(annotated) if (found := record(inner)) is not None), None)
