"""The stand-in for the AWS provider keeps to the SDK's own tables, and lets nothing through that it does not do."""

from __future__ import annotations

import inspect
from typing import Any

import pulumi_aws as aws
import pytest
from pulumi import _types

from infra.kinds import WORDS
from tests.infra.recorder import Made
from tests.infra.standin.kind import Refused
from tests.infra.standin.kinds import KINDS
from tests.infra.standin.provider import refuse_unknown
from tests.infra.test_program_inputs import arguments, unknown


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_and_outputs_are_those_of_the_sdk(kind: str) -> None:
    known = KINDS[kind]
    inputs = arguments(Made(kind, "", {}, ""))
    assert not list(unknown(dict(known.inputs), inputs, kind))
    assert not set(known.computed) - set(_types.resource_types(resource(kind)))
    for names in (known.replaces, known.sets, known.policies, known.defaults, known.required):
        assert not set(names) - known.inputs.keys()
    assert not set(known.moving) - set(known.computed)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_sdk_requires_is_required(kind: str) -> None:
    inputs = arguments(Made(kind, "", {}, ""))
    names = _types.input_type_py_to_pulumi_names(inputs)
    given = inspect.signature(inputs.__init__).parameters
    required = {names[one] for one, found in given.items() if one in names and found.default is inspect.Parameter.empty}
    assert set(KINDS[kind].required) == required


def test_every_type_of_the_program_is_known() -> None:
    assert KINDS.keys() == WORDS.keys()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"cidr": ""}, "vpc.cidr"),
        ({"check": {"pat": "/"}}, "vpc.check.pat"),
        ({"check": [{"path": "/"}, {"port": 1}]}, "vpc.check.port"),
    ],
)
def test_an_input_that_is_not_implemented_is_refused(given: dict[str, Any], path: str) -> None:
    shape = {"cidrBlock": None, "check": {"path": None}, "tags": None}
    refuse_unknown({"cidrBlock": "10.0.0.0/16", "check": {"path": "/"}, "tags": {"any": "thing"}}, shape, "vpc")
    with pytest.raises(Refused, match=f"does not implement {path}$"):
        refuse_unknown(given, shape, "vpc")


def resource(kind: str) -> type:
    _, place, name = kind.split(":")
    found: type = getattr(getattr(aws, place.partition("/")[0]), name)
    return found
