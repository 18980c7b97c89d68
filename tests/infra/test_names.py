"""Names fit what AWS allows, with the digits that Pulumi adds, and those of two spaces differ."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.names import SPACE
from infra.names import ADDED, LIMITS, last_snapshot, name

spaces = st.from_regex(SPACE, fullmatch=True)
kinds = st.sampled_from(sorted(LIMITS))
# What every kind takes: RDS wants a letter first and no two dashes in a row, a load balancer no dash at an end.
ALLOWED = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@given(spaces, kinds, st.sampled_from(["", "hosts", "database", "access"]))
def test_a_name_fits_with_the_digits_that_are_added(space: str, kind: str, suffix: str) -> None:
    found = name(space, kind, suffix)
    assert len(found) + ADDED <= LIMITS[kind]
    assert ALLOWED.fullmatch(found)
    assert not found.startswith("internal-")  # which a load balancer must not


@given(spaces, spaces, kinds)
def test_names_of_two_spaces_differ(one: str, other: str, kind: str) -> None:
    assert (name(one, kind) == name(other, kind)) == (one == other)


@pytest.mark.parametrize(
    ("space", "kind", "expected"),
    [
        ("production", "load-balancer", "deployer-production"),
        ("production", "group", "deployer-production-hosts"),
        ("a-space-with-a-very-long-name", "load-balancer", "deployer-a-space-"),
        ("a--b", "database", "deployer-a-b-hosts-"),
    ],
)
def test_a_name_is_plain_where_it_can_be(space: str, kind: str, expected: str) -> None:
    found = name(space, kind, "" if kind == "load-balancer" else "hosts")
    if expected.endswith("-"):
        assert re.fullmatch(re.escape(expected) + "[0-9a-f]{6}", found)
    else:
        assert found == expected


@given(spaces)
def test_the_last_snapshot_of_any_space_has_a_name_that_rds_takes(space):
    assert ALLOWED.fullmatch(last_snapshot(space))
