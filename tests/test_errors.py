"""The anatomy of failures."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import deployer.errors
from deployer.errors.base import Failure, HostFailure


def _kinds(of: type[Failure] = Failure) -> Iterator[type[Failure]]:
    for module in pkgutil.iter_modules(deployer.errors.__path__):
        importlib.import_module(f"deployer.errors.{module.name}")
    for kind in of.__subclasses__():
        yield from (kind, *_kinds(kind))


KINDS = sorted(set(_kinds()), key=lambda kind: kind.__name__)


class Lost(Failure):
    """For these tests."""

    what: str
    where: str = "here"

    headline = "{what} was lost {where}."


@pytest.mark.parametrize("kind", KINDS)
def test_no_fact_is_called_as_what_every_failure_has(kind: type[Failure]) -> None:
    assert not [name for name in kind.FACTS if hasattr(Failure, name)]


def test_facts_are_given_by_place_or_by_name() -> None:
    assert str(Lost("A key")) == str(Lost(what="A key")) == "A key was lost here."
    assert Lost("A key", where="there").facts() == {"what": "A key", "where": "there"}
    assert Lost("A key") != Lost("A key"), "each is what happened once"
    assert HostFailure("no-space").details == {}


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), (("a", "b", "c"), {}), (("a",), {"what": "b"}), (("a",), {"who": 1})]
)
def test_other_facts_are_a_mistake(values: tuple[str, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=re.escape("Lost(what, where) was given")):
        Lost(*values, **named)
