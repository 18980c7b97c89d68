"""Dynos on seats."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.formation import SIZES, Quantity
from deployer.model.placement import NoRoom, Placement, Seat, place

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
    except NoRoom:
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


@st.composite
def changes(draw: st.DrawFn) -> tuple[dict[str, Quantity], dict[str, Quantity], list[Seat], list[Seat]]:
    """What ran on which seats, and what is to run on which: hosts and dynos have come and gone."""
    numbers = st.sets(st.integers(1, 9), min_size=1)
    before, after = ([Seat(n, 1_000_000) for n in sorted(draw(numbers))] for _ in range(2))
    return draw(FORMATIONS), draw(FORMATIONS), before, after


def by_name(placed: list[Placement]) -> dict[str, int]:
    return {p.name: p.seat for p in placed}


@given(changes())
def test_only_dynos_whose_host_has_gone_move(
    change: tuple[dict[str, Quantity], dict[str, Quantity], list[Seat], list[Seat]],
) -> None:
    old, new, before, after = change
    ran = by_name(place("shop", old, before))
    runs = by_name(place("shop", new, after, ran))
    left = {seat.number for seat in after}
    assert {name for name, seat in ran.items() if name in runs and runs[name] != seat} == {
        name for name, seat in ran.items() if name in runs and seat not in left
    }


@given(changes())
def test_what_is_new_or_has_to_move_goes_where_fewest_of_its_type_are(
    change: tuple[dict[str, Quantity], dict[str, Quantity], list[Seat], list[Seat]],
) -> None:
    old, new, before, after = change
    ran = by_name(place("shop", old, before))
    placed = place("shop", new, after, ran)
    for process_type in new:
        used = Counter(p.seat for p in placed if p.process_type == process_type)
        fewest = min(used[seat.number] for seat in after)
        for p in placed:
            if p.process_type == process_type and ran.get(p.name) != p.seat:
                assert used[p.seat] <= fewest + 1


@given(FORMATIONS, SEATS, st.dictionaries(st.sampled_from(["web.1", "web.2", "worker.1"]), st.integers(1, 9)))
def test_a_dyno_that_fits_where_it_is_stays_whatever_else_does_not(
    formation: dict[str, Quantity], seats: list[Seat], present: dict[str, int]
) -> None:
    try:
        placed = by_name(place("shop", formation, seats, present))
    except NoRoom:
        return
    size = max((SIZES[q.size.lower()].memory for q in formation.values()), default=0)
    roomy = {seat.number for seat in seats if seat.memory >= size * len(present)}
    assert all(placed[name] == seat for name, seat in present.items() if name in placed and seat in roomy)


def test_a_host_that_is_added_gets_what_is_scaled_up_next() -> None:
    before = places("shop", 4, WIDE[:2])
    after = by_name(place("shop", {"web": Quantity(6)}, WIDE, before))
    assert after.items() >= before.items()
    assert (after["web.5"], after["web.6"]) == (3, 3)


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
    with pytest.raises(NoRoom) as refused:
        place("shop", {"web": Quantity(2, "Standard-2X")}, [Seat(2, 100), Seat(1, 1500)])
    said = str(refused.value)
    assert said.startswith("There is no room for web.2: it takes 1024 MiB.")
    assert "476 MiB on seat 1, 100 MiB on seat 2" in said


def test_a_space_without_hosts_says_so() -> None:
    with pytest.raises(NoRoom, match="no host"):
        place("shop", {"web": Quantity(1)}, [])
