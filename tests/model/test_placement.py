"""Dynos on seats."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors.formation import NotEnoughMemory
from deployer.model.formation import SIZES, Quantity
from deployer.model.placement import Placement, Seat, place

SIZE_NAMES = st.sampled_from([size.name for size in SIZES.values()])
FORMATIONS = st.dictionaries(
    st.sampled_from(["web", "worker", "clock", "mailer"]), st.builds(Quantity, st.integers(0, 6), SIZE_NAMES)
)
SEATS = st.lists(st.builds(Seat, st.integers(1, 9), st.integers(0, 40_000)), unique_by=lambda seat: seat.number)
WIDE = [Seat(n, 1_000_000) for n in (1, 2, 3)]


def places(app: str, count: int, seats: list[Seat]) -> dict[str, int]:
    return {p.name: p.seat for p in place(app, {"web": Quantity(count)}, seats)}


@given(FORMATIONS, SEATS)
def test_every_dyno_has_one_seat_and_no_seat_more_than_its_memory(
    formation: dict[str, Quantity], seats: list[Seat]
) -> None:
    try:
        placed = place("shop", formation, seats)
    except NotEnoughMemory:
        return
    wanted = {f"{t}.{n}" for t, q in formation.items() for n in range(1, q.quantity + 1)}
    assert sorted(p.name for p in placed) == sorted(wanted)
    used: Counter[int] = Counter()
    for p in placed:
        used[p.seat] += SIZES[p.size.lower()].memory
    assert all(used[seat.number] <= seat.memory for seat in seats)
    assert set(used) <= {seat.number for seat in seats}


@given(st.integers(1, 12), st.integers(1, 5))
def test_the_dynos_of_a_type_are_spread_evenly(count: int, hosts: int) -> None:
    used = Counter(places("shop", count, [Seat(n, 100_000) for n in range(1, hosts + 1)]).values())
    assert max(used.values()) - min(used.get(n, 0) for n in range(1, hosts + 1)) <= 1


@given(FORMATIONS)
def test_the_order_of_seats_and_types_does_not_matter(formation: dict[str, Quantity]) -> None:
    shuffled = dict(reversed(formation.items()))
    assert place("shop", formation, WIDE) == place("shop", shuffled, WIDE[::-1])


def test_scaling_up_moves_nothing_that_runs() -> None:
    before = places("shop", 2, WIDE)
    assert places("shop", 5, WIDE).items() >= before.items()


def test_another_type_moves_nothing_that_runs() -> None:
    both = {p.name: p.seat for p in place("shop", {"web": Quantity(2), "worker": Quantity(3)}, WIDE)}
    assert both.items() >= places("shop", 2, WIDE).items()


def test_a_dyno_stays_where_it_is_while_its_host_lives() -> None:
    present = {"web.1": 3, "web.2": 3}
    placed = place("shop", {"web": Quantity(2)}, WIDE, present)
    assert {p.name: p.seat for p in placed} == present
    assert {p.seat for p in place("shop", {"web": Quantity(2)}, WIDE[:2], present)} == {1, 2}


def test_the_single_dynos_of_many_apps_do_not_all_land_on_one_host() -> None:
    used = Counter(places(f"app-{n}", 1, WIDE)["web.1"] for n in range(60))
    assert set(used) == {1, 2, 3} and min(used.values()) >= 10


def test_a_full_seat_is_passed_over() -> None:
    assert place("shop", {"web": Quantity(2)}, [Seat(1, 100), Seat(2, 1024)]) == [
        Placement("web", 1, "Basic", 2),
        Placement("web", 2, "Basic", 2),
    ]


def test_no_room_is_said_with_the_numbers() -> None:
    with pytest.raises(NotEnoughMemory) as refused:
        place("shop", {"web": Quantity(2, "Standard-2X")}, [Seat(2, 100), Seat(1, 1500)])
    said = str(refused.value)
    assert said.startswith("There is no room for web.2: it takes 1024 MiB.")
    assert "476 MiB on seat 1, 100 MiB on seat 2" in said


def test_a_space_without_hosts_says_so() -> None:
    with pytest.raises(NotEnoughMemory, match="no host"):
        place("shop", {"web": Quantity(1)}, [])
