"""Which addresses a sandbox takes."""

from __future__ import annotations

import pytest

from deployer.errors.spaces import NoSubnetLeft
from deployer.spaces.sandbox.network import CANDIDATES, choose_prefix


def test_the_wanted_prefix_is_taken_where_it_is_free() -> None:
    assert choose_prefix(0, ["default", "192.168.1.0/24"]) == CANDIDATES[0]
    assert choose_prefix(5 + len(CANDIDATES), []) == CANDIDATES[5]


@pytest.mark.parametrize("route", [f"{CANDIDATES[0]}.0/24", f"{CANDIDATES[0]}.128/25", f"{CANDIDATES[0]}.7"])
def test_a_route_into_it_makes_the_next_one_be_taken(route: str) -> None:
    assert choose_prefix(0, [route]) == CANDIDATES[1]


def test_a_machine_that_routes_all_of_ten_has_none_left() -> None:
    with pytest.raises(NoSubnetLeft):
        choose_prefix(3, ["10.0.0.0/8"])
