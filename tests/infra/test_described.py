"""A specification survives the words of deployer.toml, checked or not."""

from __future__ import annotations

import json

from hypothesis import given

from infra.described import describe, described
from infra.read import parse
from infra.spec import Spec
from tests.infra.strategies import in_force, specs


@given(specs)
def test_what_is_told_of_a_specification_is_the_specification(spec: Spec) -> None:
    told = json.loads(json.dumps(describe(spec)))
    assert described(told) == spec == parse("production", told)


@given(in_force)
def test_so_does_what_commands_on_apps_have_added(spec: Spec) -> None:
    assert described(json.loads(json.dumps(describe(spec)))) == spec
