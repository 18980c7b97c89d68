"""What a host of AWS does with nobody there: which dynos start or end on it, which routes are in force: pure rules.

All hosts come to the same answer from the same reports, and where their reports differ for a moment, to the same one
soon: a dyno that stands twice is the one on the lowest seat, for every router and for both hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from deployer.model.app import App
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.formation import SIZES, Formation
from deployer.model.joining import HostState, Standing
from deployer.model.placement import Placement, Seat, place
from deployer.model.routes import Routes, Server


@dataclass(frozen=True, slots=True)
class Place:
    """A host that counts: its seat, its private address, and what it says of itself."""

    seat: int
    address: str
    state: HostState

    def dynos(self, app: str) -> Iterator[tuple[Dyno, Standing]]:
        """Those of an app."""
        for one in self.state.dynos:
            dyno = parse_instance(one.instance)
            if dyno.app == app:
                yield dyno, one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the ledger says of an app: its record, and its current release and generation. `quiet`: nobody changes it
    just now, so that what hosts and routers have should be what the ledger says."""

    app: App
    release: int
    generation: int
    domains: tuple[str, ...]
    quiet: bool

    @property
    def name(self) -> str:
        """The app's."""
        return self.app.name

    def has(self, dyno: Dyno) -> bool:
        """Whether this dyno is one of the formation, of the current release."""
        return dyno.release == self.release and is_in(self.app.formation, dyno)


def is_sound(state: HostState) -> bool:
    """Whether what a host says of itself makes sense: one that is somebody else's by now may say anything."""
    try:
        named = [parse_instance(server.instance).name == server.slot for one in state.routes for server in one.servers]
        return all([*named, *(parse_instance(one.instance) and one.size.lower() in SIZES for one in state.dynos)])
    except ValueError:
        return False


def is_in(formation: Formation, dyno: Dyno) -> bool:
    """Whether a formation has a dyno of this name."""
    return dyno.process_type in formation and 1 <= dyno.number <= formation[dyno.process_type].quantity


def to_start(wanted: Wanted, places: Sequence[Place], own: int, leaving: Sequence[Place] = ()) -> list[Placement]:
    """The dynos that fall to the seat `own` and stand nowhere. NoRoom where some have room on no seat at all. Those on
    hosts that are `leaving` start beside the old; but of a process without a port never two run at the same time."""
    if not wanted.quiet:
        return []
    standing = [(dyno, one.seat) for one in _by_seat(places) for dyno, _ in one.dynos(wanted.name) if wanted.has(dyno)]
    present = {dyno.name: seat for dyno, seat in reversed(standing)}
    seats = [Seat(one.seat, one.state.memory + _used(one.dynos(wanted.name))) for one in places]
    placed = place(wanted.name, wanted.app.formation, seats, present)
    ends_first = {dyno.name for one in leaving for dyno, _ in one.dynos(wanted.name) if dyno.process_type != "web"}
    return [one for one in placed if one.seat == own and one.name not in present and one.name not in ends_first]


def to_end(wanted: Wanted, places: Sequence[Place], own: int) -> list[str]:
    """The instances on the seat `own` that should not run: of another release, or beyond the formation, or standing on
    a lower seat as well. None of them while a router that is known of names it."""
    if not wanted.quiet:
        return []
    here = next((one for one in places if one.seat == own), None)
    lower = {dyno for one in places if one.seat < own for dyno, found in one.dynos(wanted.name) if _runs(dyno, found)}
    named = {(server.instance, server.address) for _, one in _named(wanted, places) for server in one.servers}
    return [
        one.instance
        for dyno, one in (here.dynos(wanted.name) if here else ())
        if (not wanted.has(dyno) or dyno in lower) and here and (one.instance, here.address) not in named
    ]


def keeping(wanted: Wanted, places: Sequence[Place], own: Place) -> list[str]:
    """The instances of a host that leaves, `own`, which it must not end yet: those whose dyno stands on none of the
    hosts that count, or to which a router of theirs leads; all of them while a command is at the app."""
    elsewhere = {dyno for one in places for dyno, found in one.dynos(wanted.name) if found.port is not None}
    named = {(server.instance, server.address) for _, one in _named(wanted, places) for server in one.servers}
    return [
        found.instance
        for dyno, found in own.dynos(wanted.name)
        if not wanted.quiet
        or (found.instance, own.address) in named
        or (dyno.process_type == "web" and wanted.has(dyno) and dyno not in elsewhere)
    ]


def routes(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place] = ()) -> Routes | None:
    """Those that a router should have; None where it keeps what it has. `places` are all hosts that count, this one
    with the routes of its own router; those that are `leaving` take requests until others do."""
    return _settled(wanted, places, leaving) if wanted.quiet else _mended(wanted, places, leaving)


def _settled(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place]) -> Routes:
    """Of an app that nobody changes: for each dyno that takes requests the server that routers have named, or else the
    one that stands."""
    found = [(seat, one) for seat, one in _named(wanted, places) if one.generation == wanted.generation]
    seats = {one.address: one.seat for one in places}
    named = [server for _, one in found for server in one.servers if server.address in seats]
    standing = [server for one in [*_by_seat(places), *leaving] for server in _servers(wanted.name, one)]
    servers: dict[str, Server] = {}
    for server in [*sorted(named, key=lambda server: seats[server.address]), *standing]:
        dyno = parse_instance(server.instance)
        if dyno.process_type == "web" and wanted.has(dyno):
            servers.setdefault(server.slot, server)
    whole = tuple(sorted(servers.values(), key=lambda server: parse_instance(server.instance)))
    intent, redirect = _intent(wanted, whole), wanted.app.redirect
    return Routes(wanted.name, wanted.generation, wanted.domains, intent, whole, redirect=redirect)


def _intent(wanted: Wanted, servers: Sequence[Server]) -> str:
    """A web dyno that is to come is waited for, as one that boots."""
    web = wanted.app.formation.get("web")
    has_web = bool(servers) or (web is not None and web.quantity > 0)
    return "maint" if wanted.app.maintenance else "running" if has_web else "none"


def _mended(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place]) -> Routes | None:
    """Of an app that somebody changes: the newest routes there are, without the servers of hosts that are gone."""
    found = [one for _, one in _named(wanted, places)]
    if not found:
        return None
    newest = max(found, key=lambda one: one.generation)
    alive = {one.address for one in [*places, *leaving]}
    standing = {(s.slot, s.instance): s for one in reversed(_by_seat(places)) for s in _servers(wanted.name, one)}
    kept = (s if s.address in alive else standing.get((s.slot, s.instance)) for s in newest.servers)
    servers = tuple(server for server in kept if server)
    return replace(newest, domains=wanted.domains, redirect=wanted.app.redirect, servers=servers)


def _named(wanted: Wanted, places: Sequence[Place]) -> list[tuple[int, Routes]]:
    """The routes of the app that routers have, none that the ledger does not know yet, each with its seat."""
    return [
        (place.seat, one)
        for place in _by_seat(places)
        for one in place.state.routes
        if one.app == wanted.name and one.generation <= wanted.generation
    ]


def _servers(app: str, place: Place) -> list[Server]:
    """What takes requests on a host."""
    return [
        Server(dyno.name, place.address, one.port, one.instance)
        for dyno, one in place.dynos(app)
        if one.port is not None
    ]


def _runs(dyno: Dyno, standing: Standing) -> bool:
    """A web dyno without a port is one that its host is about to start."""
    return dyno.process_type != "web" or standing.port is not None


def _used(dynos: Iterable[tuple[Dyno, Standing]]) -> int:
    return sum(SIZES[one.size.lower()].memory for _, one in dynos)


def _by_seat(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda one: one.seat)
