"""Dynos move back to where they belong, and no order in which hosts look loses one, or a request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.model import moving, upkeep
from deployer.model.app import App
from deployer.model.dyno import parse_instance
from deployer.model.formation import Quantity
from deployer.model.joining import HostState
from deployer.model.places import Place, Wanted
from deployer.model.routes import Routes
from tests.model.test_upkeep import BUSY, DOMAIN, SHOP, dyno, known, place, server

MEMORY = 8000
NAMES = ("web.1", "web.2", "web.3", "worker.1", "worker.2")


def settled(*hosts: tuple[str, ...], wanted: Wanted = SHOP, memory: int = MEMORY) -> list[Place]:
    """Hosts with these dynos, and routers that lead to all that take requests."""
    at = {name: seat for seat, names in enumerate(hosts, 1) for name in names}
    told = known(*(server(name, at[name]) for name in sorted(at) if name.startswith("web")))
    return [
        place(seat, *map(dyno, names), known=(told,), memory=memory - 512 * len(names))
        for seat, names in enumerate(hosts, 1)
    ]


def moved(wanted: Wanted, places: list[Place]) -> tuple[str, int, int] | None:
    found = moving.due(wanted, places)
    return (found.placement.name, found.origin, found.placement.seat) if found else None


def test_a_dyno_goes_to_the_host_that_came_in_the_place_of_a_dead_one() -> None:
    places = settled((), ("web.1", "web.2", "worker.1"))
    assert moved(SHOP, places) == ("web.1", 2, 1)
    assert [one.name for one in moving.to_take(SHOP, places, 1)] == ["web.1"]
    assert moving.to_take(SHOP, places, 2) == [], "it starts where it comes"
    assert moving.to_let_go(SHOP, places, 2, places[1].state) == [], "and nothing ends before"
    assert moved(SHOP, settled(("web.1",), ("web.2", "worker.1"))) is None


def test_nothing_moves_while_anything_else_goes_on() -> None:
    empty, full = settled((), ("web.1", "web.2", "worker.1"))
    assert moved(BUSY, [empty, full]) is None, "a command is at it"
    for other in (
        settled((), ("web.1", "web.2"))[1],  # one is missing
        place(2, dyno("web.1"), dyno("web.2", port=None), dyno("worker.1"), known=full.state.routes),  # one comes
        place(2, *full.state.dynos, dyno("web.3", 2), known=full.state.routes),  # one is to end
        replace(full, state=replace(full.state, routes=())),  # a router is behind
    ):
        assert moved(SHOP, [empty, other]) is None
    assert moved(SHOP, [replace(empty, state=replace(empty.state, memory=400)), full]) is None, "there is no room"


def test_what_is_spread_stays_whatever_the_order() -> None:
    assert moved(SHOP, settled(("web.2", "worker.1"), ("web.1",))) is None
    assert moved(SHOP, settled(("web.1",), ("web.2", "worker.1"), ())) is None, "no host is better than another"


def test_what_is_alone_of_its_type_moves_if_it_belongs_there_and_memory_is_scarcer_where_it_is() -> None:
    wanted = replace(SHOP, app=replace(SHOP.app, formation={"web": Quantity(1)}))
    home = place_of(wanted)
    away = 3 - home
    here = settled(*(("web.1",) if seat == away else () for seat in (1, 2)), wanted=wanted)
    assert moved(wanted, here) is None, "nothing would be gained"
    crowded = [with_memory(one, 3000) if one.seat == away else one for one in here]
    assert moved(wanted, crowded) == ("web.1", away, home)
    back = settled(*(("web.1",) if seat == home else () for seat in (1, 2)), wanted=wanted)
    assert moved(wanted, [with_memory(one, 600) if one.seat == home else one for one in back]) is None, (
        "it belongs there"
    )


def place_of(wanted: Wanted) -> int:
    """The seat of two where the placement has web.1."""
    ((placed,),) = [one for one in (upkeep.to_start(wanted, [place(1), place(2)], seat) for seat in (1, 2)) if one]
    return placed.seat


def with_memory(one: Place, memory: int) -> Place:
    return replace(one, state=replace(one.state, memory=memory))


def test_what_has_no_port_ends_before_it_starts_elsewhere() -> None:
    formation = {"worker": Quantity(2)}
    wanted = replace(SHOP, app=replace(SHOP.app, formation=formation))
    places = [place(1, known=(known(),)), place(2, dyno("worker.1"), dyno("worker.2"), known=(known(),))]
    assert [moving.to_take(wanted, places, seat) for seat in (1, 2)] == [[], []]
    (ended,) = moving.to_let_go(wanted, places, 2, None)
    assert moving.to_let_go(wanted, places, 1, None) == []
    left = [
        places[0],
        replace(
            places[1],
            state=replace(
                places[1].state, dynos=tuple(one for one in places[1].state.dynos if one.instance != ended), memory=4512
            ),
        ),
    ]
    assert [[one.name for one in upkeep.to_start(wanted, left, seat)] for seat in (1, 2)] == [
        [parse_instance(ended).name],
        [],
    ]


def test_which_one_stays_does_not_depend_on_what_is_about_to_end() -> None:
    places = [
        place(1, dyno("web.1"), dyno("web.2", 2, port=None), memory=0),
        place(2, dyno("web.1"), dyno("worker.1"), memory=0),
    ]
    left = [replace(places[0], state=replace(places[0].state, dynos=(dyno("web.1"),), memory=512)), places[1]]
    assert moving.staying(SHOP, places) == moving.staying(SHOP, left) != {}


def test_the_old_one_ends_when_all_routers_lead_to_the_new_one_and_the_others_know() -> None:
    both = settled(("web.1",), ("web.1", "web.2", "worker.1"))
    old, new = known(server("web.1", 2), server("web.2", 2)), known(server("web.1", 1), server("web.2", 2))
    assert upkeep.routes(SHOP, both) == new, "though routers named the old one"

    def ends(first: Routes, second: Routes, told: Routes) -> list[str]:
        routers = [
            replace(one, state=replace(one.state, routes=(routes,)))
            for one, routes in zip(both, (first, second), strict=True)
        ]
        return moving.to_let_go(SHOP, routers, 2, replace(both[1].state, routes=(told,)))

    assert ends(new, new, new) == ["shop.web.1.v3"]
    assert [ends(old, new, new), ends(new, old, new), ends(new, new, old)] == [[], [], []]
    assert moving.to_let_go(SHOP, both, 1, both[0].state) == [], "that one stays"
    assert moving.to_let_go(BUSY, both, 2, both[1].state) == []


@dataclass
class Space:
    """Hosts that look in any order; `told` is what stands in the store, `read` what each has read there last."""

    wanted: Wanted
    places: list[Place]
    told: dict[int, Place] = field(default_factory=dict)
    read: dict[int, dict[int, Place]] = field(default_factory=dict)
    started: int = 0

    def __post_init__(self) -> None:
        self.now = {one.seat: one for one in self.places}
        self.told = dict(self.now)

    def reads(self, own: int) -> None:
        self.read[own] = dict(self.told)

    def acts(self, own: int) -> None:
        """A look, as the host's agent does it, with what it has read; the others act meanwhile or not."""
        before = self.read.pop(own, dict(self.told))
        seen = lambda: [*(one for seat, one in before.items() if seat != own), self.now[own]]  # noqa: E731
        self._start(own, [one.name for one in upkeep.to_start(self.wanted, seen(), own)])
        self._switch(own, seen())
        self._end(own, upkeep.to_end(self.wanted, seen(), own))
        self._end(own, moving.to_let_go(self.wanted, seen(), own, before[own].state))
        taken = [one.name for one in moving.to_take(self.wanted, seen(), own)]
        self._start(own, taken)
        if taken:
            self._switch(own, seen())
        self.told[own] = self.now[own]

    def _start(self, own: int, names: list[str]) -> None:
        state = self.now[own].state
        for name in names:
            self.started += 1
            state = replace(state, dynos=(*state.dynos, dyno(name)), memory=state.memory - 512)
        self._is(own, state)

    def _switch(self, own: int, seen: list[Place]) -> None:
        found = upkeep.routes(self.wanted, seen)
        assert found is not None
        self._is(own, replace(self.now[own].state, routes=(found,)))

    def _end(self, own: int, ended: list[str]) -> None:
        state = self.now[own].state
        left = tuple(one for one in state.dynos if one.instance not in ended)
        self._is(own, replace(state, dynos=left, memory=state.memory + 512 * (len(state.dynos) - len(left))))

    def _is(self, own: int, state: HostState) -> None:
        self.now[own] = replace(self.now[own], state=state)
        self.check()

    def check(self) -> None:
        """Every dyno that takes requests stands, where every router says; of others there is one at most."""
        there = [(one.instance, place.address) for place in self.now.values() for one in place.state.dynos]
        names = [parse_instance(instance).name for instance, _ in there]
        for name in self.names():
            assert names.count(name) >= 1 if name.startswith("web") else names.count(name) <= 1, there
        for one in self.now.values():
            for routes in one.state.routes:
                assert {(found.instance, found.address) for found in routes.servers} <= set(there)
                assert {found.slot for found in routes.servers} == {n for n in self.names() if n.startswith("web")}

    def names(self) -> set[str]:
        return {
            f"{kind}.{number}"
            for kind, one in self.wanted.app.formation.items()
            for number in range(1, one.quantity + 1)
        }


formations = st.builds(
    lambda web, worker: {"web": Quantity(web), "worker": Quantity(worker)}, st.integers(1, 4), st.integers(0, 3)
)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """A formation anywhere on some hosts, some of them crowded."""
    formation, hosts = draw(formations), draw(st.integers(2, 4))
    wanted = Wanted(App("shop", 20001, "2026", formation=formation), 3, 7, DOMAIN, quiet=True)
    names = sorted(Space(wanted, []).names())
    at = {name: draw(st.integers(1, hosts)) for name in names}
    places = settled(*(tuple(n for n in names if at[n] == seat) for seat in range(1, hosts + 1)), wanted=wanted)
    less = [draw(st.sampled_from([0, 600, 2000, 3500])) for _ in places]
    return Space(
        wanted,
        [
            replace(one, state=replace(one.state, memory=one.state.memory - taken))
            for one, taken in zip(places, less, strict=True)
        ],
    )


@settings(max_examples=60)
@given(spaces(), st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=60))
def test_in_whatever_order_hosts_look_nothing_is_lost_and_all_comes_to_rest(
    space: Space, order: list[tuple[bool, int]]
) -> None:
    seats = sorted(space.now)
    for is_reading, number in order:
        own = seats[number % len(seats)]
        if is_reading:
            space.reads(own)
        else:
            space.acts(own)
    for _ in range(20):
        for own in seats:
            space.acts(own)
    before = space.started
    for own in seats:
        space.acts(own)
    assert space.started == before and moving.due(space.wanted, list(space.now.values())) is None
    standing = [parse_instance(one.instance).name for place in space.now.values() for one in place.state.dynos]
    assert sorted(standing) == sorted(space.names())
    assert before <= len(standing) * 4 + 4, "they do not go to and fro"


@given(spaces())
def test_each_host_that_looks_sees_the_same_move(space: Space) -> None:
    found = moving.due(space.wanted, space.places)
    assert moving.due(space.wanted, list(reversed(space.places))) == found
