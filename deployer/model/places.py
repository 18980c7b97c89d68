"""What hosts of AWS say of themselves, and what the ledger says of an app: what the rules of upkeep go by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deployer.model.app import App
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.formation import SIZES, Formation
from deployer.model.joining import HostState, Standing
from deployer.model.placement import Seat
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


def by_seat(places: Sequence[Place]) -> list[Place]:
    """From the lowest seat on."""
    return sorted(places, key=lambda one: one.seat)


def seats(app: str, places: Sequence[Place]) -> list[Seat]:
    """With what an app may use on each: what it uses there, too."""
    return [Seat(one.seat, one.state.memory + _used(one.dynos(app))) for one in places]


def _used(dynos: Iterable[tuple[Dyno, Standing]]) -> int:
    return sum(SIZES[one.size.lower()].memory for _, one in dynos)


def named(wanted: Wanted, places: Sequence[Place]) -> list[tuple[int, Routes]]:
    """The routes of the app that routers have, none that the ledger does not know yet, each with its seat."""
    return [
        (place.seat, one)
        for place in by_seat(places)
        for one in place.state.routes
        if one.app == wanted.name and one.generation <= wanted.generation
    ]


def servers(app: str, place: Place) -> list[Server]:
    """What takes requests on a host."""
    return [
        Server(dyno.name, place.address, one.port, one.instance)
        for dyno, one in place.dynos(app)
        if one.port is not None
    ]
