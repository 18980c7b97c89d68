"""Which hosts of AWS count, and whose seat is whose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.membership import counting, seat_for
from deployer.model.space import Host

A, B, C = (Host(f"i-{name}", seat, "", f"10.0.0.{seat}", "k") for seat, name in ((1, "a"), (2, "b"), (3, "c")))
ids = st.sampled_from([f"i-{name}" for name in "abcdef"])
seats = st.dictionaries(st.integers(1, 4), ids)


def test_a_host_counts_that_holds_its_seat_and_is_alive() -> None:
    sat = {1: "i-a", 2: "i-b", 3: "i-c"}
    assert counting([C, A, B], sat, {"i-a", "i-b", "i-c"}) == (A, B, C)
    assert counting([A, B], sat, {"i-b"}) == (B,), "gone from the group"
    assert counting([A, B], {1: "i-a", 2: "i-c"}, {"i-a", "i-b", "i-c"}) == (A,), "its seat is another's"
    assert counting([A], {2: "i-a"}, {"i-a"}) == (), "registered with a seat that it has no more"


@pytest.mark.parametrize(
    ("sat", "alive", "seat"),
    [
        ({}, {"i-a"}, 1),
        ({1: "i-b"}, {"i-a", "i-b"}, 2),
        ({1: "i-b", 2: "i-a"}, {"i-a", "i-b"}, 2),
        ({1: "i-b", 2: "i-c"}, {"i-a", "i-c"}, 1),
        ({1: "i-b", 2: "i-c", 3: "i-d"}, {"i-a", "i-b", "i-c", "i-d"}, None),
        ({1: "i-b", 2: "i-a"}, {"i-a"}, 2),
    ],
)
def test_a_seat_is_the_own_one_or_the_lowest_that_nobody_alive_has(
    sat: dict[int, str], alive: set[str], seat: int | None
) -> None:
    assert seat_for("i-a", sat, 3, alive) == seat


@given(seats, st.frozensets(ids), ids, st.integers(1, 4))
def test_nobody_who_is_alive_loses_a_seat(sat: dict[int, str], alive: frozenset[str], me: str, most: int) -> None:
    seat = seat_for(me, sat, most, alive | {me})
    assert seat is None or sat.get(seat) in (None, me) or sat[seat] not in alive
    assert seat is not None or len(set(sat.values()) & alive) > 0
