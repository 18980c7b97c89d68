"""What hosts of AWS do by themselves: dynos that are missing start once, routes lead to what stands, and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.app import App
from deployer.model.dyno import Dyno
from deployer.model.formation import Quantity
from deployer.model.joining import HostState, Standing
from deployer.model.places import Place, Wanted, is_sound
from deployer.model.routes import Routes, Server
from deployer.model.upkeep import keeping, routes, to_end, to_start

DOMAIN = ("shop.example",)
FORMATION = {"web": Quantity(2), "worker": Quantity(1)}
SHOP = Wanted(App("shop", 20001, "2026", formation=FORMATION), release=3, generation=7, domains=DOMAIN, quiet=True)
BUSY = replace(SHOP, quiet=False)


def dyno(name: str, release: int = 3, port: int | None = 7001) -> Standing:
    kind, _, number = name.partition(".")
    return Standing(Dyno("shop", kind, int(number), release).instance, "Basic", port if kind == "web" else None)


def place(seat: int, *dynos: Standing, known: tuple[Routes, ...] = (), memory: int = 4000) -> Place:
    return Place(seat, f"10.0.0.{seat}", HostState(f"i-{seat}", memory, dynos, known))


def server(name: str, seat: int, release: int = 3, port: int = 7001) -> Server:
    return Server(name, f"10.0.0.{seat}", port, f"shop.{name}.v{release}")


def known(*servers: Server, generation: int = 7, intent: str = "running") -> Routes:
    return Routes("shop", generation, DOMAIN, intent, servers)


def started(wanted: Wanted, places: list[Place]) -> dict[str, list[int]]:
    """On which seats each dyno starts."""
    found: dict[str, list[int]] = {}
    for one in places:
        for placed in to_start(wanted, places, one.seat):
            found.setdefault(placed.name, []).append(one.seat)
    return found


def test_the_dynos_of_a_host_that_is_gone_start_once_on_others() -> None:
    places = [place(1, dyno("web.1"), dyno("worker.1")), place(2)]
    assert started(SHOP, places) == {"web.2": [2]}
    assert started(BUSY, places) == {}, "a command is at it"


def test_nothing_starts_that_stands_somewhere() -> None:
    assert started(SHOP, [place(1, dyno("web.1"), dyno("web.2")), place(2, dyno("worker.1"))]) == {}
    assert started(SHOP, [place(1, dyno("web.1"), dyno("web.2", port=None)), place(2, dyno("worker.1"))]) == {}, (
        "a host that is about to start it has said so"
    )


def test_a_dyno_of_another_release_is_none_of_this_one() -> None:
    assert started(SHOP, [place(1, dyno("web.1", 2), dyno("web.2"), dyno("worker.1"))]) == {"web.1": [1]}


def test_routes_lead_to_what_stands_on_hosts_that_count() -> None:
    """The host of seat 2 is gone: what it had stands on seat 3 by now."""
    told = known(server("web.1", 1), server("web.2", 2))
    places = [place(1, dyno("web.1"), known=(told,)), place(3, dyno("web.2", port=7009))]
    assert routes(SHOP, places) == known(server("web.1", 1), server("web.2", 3, port=7009))
    assert routes(SHOP, places[:1]) == known(server("web.1", 1))


def test_a_router_that_knows_nothing_learns_it_from_another() -> None:
    told = known(server("web.1", 1), server("web.2", 2))
    assert routes(SHOP, [place(1, known=(told,)), place(2), place(3)]) == told


def test_without_any_router_routes_are_made_of_what_stands() -> None:
    assert routes(SHOP, [place(1, dyno("web.1")), place(2, dyno("web.2"))]) == known(
        server("web.1", 1), server("web.2", 2)
    )
    assert routes(SHOP, [place(1)]) == known(), "a dyno that is to come is waited for"
    stopped = replace(SHOP, app=replace(SHOP.app, formation={"web": Quantity(0)}))
    assert routes(stopped, [place(1)]) == known(intent="none")
    resting = replace(SHOP, app=replace(SHOP.app, maintenance=True))
    assert routes(resting, [place(1, dyno("web.1"))]) == known(server("web.1", 1), intent="maint")


def test_reports_of_before_a_deploy_bring_nothing_back() -> None:
    old = known(server("web.1", 1, 2), generation=6)
    now = known(server("web.1", 2), server("web.2", 2, port=7002))
    assert routes(SHOP, [place(1, dyno("web.1", 2), known=(old,)), place(2, known=(now,))]) == now


def test_reports_of_before_scaling_down_bring_nothing_back() -> None:
    one = replace(SHOP, app=replace(SHOP.app, formation={"web": Quantity(1)}))
    now = known(server("web.1", 1))
    assert routes(one, [place(1, dyno("web.1"), dyno("web.2", port=7002), known=(now,))]) == now


def test_while_a_command_works_the_newest_routes_that_the_ledger_knows_hold() -> None:
    old, now = known(server("web.1", 1, 2), generation=6), known(server("web.1", 1), server("web.2", 2))
    ahead = known(server("web.1", 1, 4), generation=8)
    places = [place(1, known=(ahead,)), place(2, known=(old,)), place(3, known=(now,))]
    assert routes(BUSY, places) == now
    assert routes(BUSY, places[:1]) is None
    gone = [place(1, known=(now,)), place(3, dyno("web.2", port=7009))]
    assert routes(BUSY, gone) == known(server("web.1", 1), server("web.2", 3, port=7009))
    assert routes(BUSY, gone[:1]) == known(server("web.1", 1))


def test_what_the_ledger_does_not_say_ends() -> None:
    here = place(1, dyno("web.1"), dyno("web.1", 2), dyno("web.3"), dyno("worker.2"), dyno("clock.1"))
    assert to_end(SHOP, [here], 1) == ["shop.web.1.v2", "shop.web.3.v3", "shop.worker.2.v3", "shop.clock.1.v3"]
    assert to_end(BUSY, [here], 1) == []
    assert to_end(SHOP, [here], 2) == []


def test_what_has_no_port_and_stands_twice_stays_on_the_lowest_seat() -> None:
    places = [place(1, dyno("web.1"), dyno("worker.1")), place(2, dyno("web.1"), dyno("worker.1"))]
    assert to_end(SHOP, places, 1) == []
    assert to_end(SHOP, places, 2) == ["shop.worker.1.v3"]


def test_nothing_ends_that_a_router_still_names() -> None:
    told = known(server("web.1", 2))
    places = [place(1, dyno("web.1")), place(2, dyno("web.1"), known=(told,))]
    assert to_end(SHOP, places, 2) == []
    both = [place(1, dyno("web.1"), known=(known(server("web.1", 1)),)), places[1]]
    assert routes(SHOP, both) == known(server("web.1", 1)), "all routers agree on the lowest"


@pytest.mark.parametrize(
    "state",
    [
        HostState("i-1", 1, (Standing("shop", "Basic"),)),
        HostState("i-1", 1, (Standing("shop.web.1.v3", "Huge"),)),
        HostState("i-1", 1, routes=(known(replace(server("web.1", 1), slot="web.2")),)),
        HostState("i-1", 1, routes=(known(replace(server("web.1", 1), instance="../x")),)),
    ],
)
def test_what_makes_no_sense_is_not_believed(state: HostState) -> None:
    assert not is_sound(state)


def test_no_host_says_under_which_names_an_app_is_reached() -> None:
    told = replace(known(server("web.1", 1)), domains=("bank.example",))
    for wanted in (SHOP, BUSY):
        found = routes(wanted, [place(1, known=(told,))])
        assert found is not None and found.domains == DOMAIN


names = st.sampled_from(["web.1", "web.2", "web.3", "worker.1", "worker.2"])
standings = st.lists(st.builds(dyno, names, st.integers(2, 3), st.sampled_from([None, 7001, 7002])), max_size=4)
servers = st.builds(server, names.filter(lambda name: name.startswith("web")), st.integers(1, 5), st.integers(2, 3))
routings = st.lists(servers, max_size=3, unique_by=lambda one: one.slot).flatmap(
    lambda found: st.builds(lambda generation: known(*found, generation=generation), st.integers(5, 8))
)
spaces = st.dictionaries(
    st.integers(1, 5),
    st.tuples(standings, st.lists(routings, max_size=1), st.integers(0, 6000)),
    min_size=1,
    max_size=4,
).map(
    lambda found: [
        place(seat, *dynos, known=tuple(told), memory=memory) for seat, (dynos, told, memory) in found.items()
    ]
)


@given(spaces, st.booleans())
def test_routes_name_only_hosts_that_count_and_releases_that_the_ledger_has(places: list[Place], quiet: bool) -> None:
    assert all(is_sound(one.state) for one in places)
    found = routes(replace(SHOP, quiet=quiet), places)
    if found is None:
        assert not quiet
        return
    assert {one.address for one in found.servers} <= {one.address for one in places}
    assert found.generation <= SHOP.generation
    assert len({one.slot for one in found.servers}) == len(found.servers)
    if quiet:
        assert {one.instance for one in found.servers} <= {"shop.web.1.v3", "shop.web.2.v3"}
        assert routes(SHOP, list(reversed(places))) == found, "every host comes to the same"


@given(spaces)
def test_when_all_have_done_it_nothing_is_left_to_do(places: list[Place]) -> None:
    """Each host takes the routes, then ends what it should: the routes stay as they are, and no end meets them."""
    found = routes(SHOP, places)
    assert found is not None
    taken = [replace(one, state=replace(one.state, routes=(found,))) for one in places]
    assert routes(SHOP, taken) == found
    ended = {one.seat: to_end(SHOP, taken, one.seat) for one in taken}
    assert not {(name, f"10.0.0.{seat}") for seat, names in ended.items() for name in names} & {
        (one.instance, one.address) for one in found.servers
    }
    assert routes(SHOP, [without(one, ended[one.seat]) for one in taken]) == found


def without(one: Place, ended: list[str]) -> Place:
    """The same host when these have ended."""
    left = tuple(dyno for dyno in one.state.dynos if dyno.instance not in ended)
    memory = one.state.memory + 512 * (len(one.state.dynos) - len(left))
    return replace(one, state=replace(one.state, dynos=left, memory=memory))


@given(spaces)
def test_no_dyno_starts_twice(places: list[Place]) -> None:
    roomy = [replace(one, state=replace(one.state, memory=9000)) for one in places]
    assert all(len(seats) == 1 for seats in started(SHOP, roomy).values())


def test_a_host_that_leaves_takes_requests_until_another_does() -> None:
    old = Place(0, "10.0.0.9", HostState("i-9", 0, (dyno("web.2"), dyno("worker.1")), (), leaving=True))
    told = known(server("web.1", 1), server("web.2", 9))
    staying = place(1, dyno("web.1"), known=(told,))
    assert routes(SHOP, [staying], [old]) == told and routes(SHOP, [staying]) == known(server("web.1", 1))
    assert routes(BUSY, [staying], [old]) == told
    both = [staying, place(2, dyno("web.2", port=7009))]
    assert routes(SHOP, both, [old]) == known(server("web.1", 1), server("web.2", 2, port=7009))


def test_beside_a_host_that_leaves_others_start_what_takes_requests_and_nothing_else() -> None:
    places = [place(1, dyno("web.1")), place(2)]
    old = Place(0, "10.0.0.9", HostState("i-9", 0, (dyno("web.2"), dyno("worker.1"))))
    assert [one.name for seat in (1, 2) for one in to_start(SHOP, places, seat, [old])] == ["web.2"]
    ended = replace(old, state=replace(old.state, dynos=(dyno("web.2"),)))
    assert {one.name for seat in (1, 2) for one in to_start(SHOP, places, seat, [ended])} == {"web.2", "worker.1"}


def test_a_host_that_leaves_keeps_what_others_do_not_serve_yet() -> None:
    own = Place(0, "10.0.0.9", HostState("i-9", 0, (dyno("web.2"), dyno("web.3"), dyno("web.1", 2))))
    old, new = known(server("web.2", 9)), known(server("web.2", 1, port=7009))
    assert keeping(SHOP, [place(1)], own) == ["shop.web.2.v3"], "nothing else is one that the ledger wants"
    assert keeping(SHOP, [place(1, dyno("web.2", port=None))], own) == ["shop.web.2.v3"], "it only begins there"
    there = place(1, dyno("web.2", port=7009), known=(new,))
    assert keeping(SHOP, [there, place(2, known=(old,))], own) == ["shop.web.2.v3"], "a router leads here"
    assert keeping(SHOP, [there, place(2, known=(new,))], own) == []
    assert keeping(BUSY, [there], own) == [one.instance for one in own.state.dynos], "a command is at it"
