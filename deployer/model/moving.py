"""Dynos move back where a host has come in the place of one that died: pure rules, for a space that is calm.

A dyno moves where the placement has it, all others left where they are, if its type is more evenly spread then, or as
evenly, and memory is. Each move makes one of these more even, so that they end, in whatever order hosts look.
One that takes requests starts there beside the old one, which ends when all routers have left it. Of two hosts that
have the same one, never both end theirs: each says first that its own router leads to the other, and looks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deployer.model.dyno import parse_instance
from deployer.model.formation import SIZES
from deployer.model.joining import HostState
from deployer.model.placement import NoRoom, Placement, place
from deployer.model.places import Place, Wanted, by_seat, named, seats, servers
from deployer.model.routes import Server


@dataclass(frozen=True, slots=True)
class Move:
    """A dyno that belongs on another seat, and the one that it leaves."""

    placement: Placement
    origin: int

    @property
    def takes_requests(self) -> bool:
        """It starts there before it ends here; others the other way round."""
        return self.placement.process_type == "web"


def due(wanted: Wanted, places: Sequence[Place]) -> Move | None:
    """The next move of an app; None where all is well, or it has not settled: each dyno stands once, and each router
    leads there."""
    if not wanted.quiet or not _has_settled(wanted, places):
        return None
    present = {dyno.name: one.seat for one in places for dyno, _ in one.dynos(wanted.name)}
    placed = {name: _placed(wanted, places, present, name) for name in present}
    moves = [Move(one, present[name]) for name, one in placed.items() if one and one.seat != present[name]]
    better = [one for one in moves if _is_better(one, places, present)]
    return min(better, key=lambda one: (not one.takes_requests, one.placement), default=None)


def is_missing(wanted: Wanted, places: Sequence[Place]) -> bool:
    """Whether a dyno of the formation stands nowhere."""
    standing = {dyno for one in places for dyno, _ in one.dynos(wanted.name) if wanted.has(dyno)}
    return wanted.quiet and len(standing) < sum(one.quantity for one in wanted.app.formation.values())


def to_take(wanted: Wanted, places: Sequence[Place], own: int) -> list[Placement]:
    """What the seat `own` starts beside the one that stands elsewhere."""
    move = due(wanted, places)
    return [move.placement] if move and move.takes_requests and move.placement.seat == own else []


def to_let_go(wanted: Wanted, places: Sequence[Place], own: int, told: HostState | None) -> list[str]:
    """The instances that the seat `own` ends since they have another place. What has no port ends before it starts
    there. Of what takes requests the other one stays, no router leads to this one, and this host's to the other, as it
    has also `told` the others before they were asked."""
    here = next((one for one in places if one.seat == own), None)
    if here is None or not wanted.quiet:
        return []
    routed = {(one.instance, one.address) for _, found in named(wanted, places) for one in found.servers}
    ended = [
        server.instance
        for server in staying(wanted, places).values()
        if server.address != here.address and (server.instance, here.address) not in routed
        if _leads_to(server, here.state) and told and _leads_to(server, told)
        if any(one.instance == server.instance for one in here.state.dynos)
    ]
    move = due(wanted, places)
    if move and not move.takes_requests and move.origin == own:
        ended += [one.instance for dyno, one in here.dynos(wanted.name) if dyno.name == move.placement.name]
    return ended


def staying(wanted: Wanted, places: Sequence[Place]) -> Mapping[str, Server]:
    """Of each dyno that takes requests on more than one host: the one that stays, by its name. It is that of the seat
    where the placement has it, or of the lowest."""
    found: dict[str, list[tuple[int, Server]]] = {}
    present: dict[str, int] = {}
    for one in by_seat(places):
        for dyno in [dyno for dyno, _ in one.dynos(wanted.name) if wanted.has(dyno)]:
            present.setdefault(dyno.name, one.seat)
        for server in servers(wanted.name, one):
            if wanted.has(parse_instance(server.instance)):
                found.setdefault(server.slot, []).append((one.seat, server))
    chosen = {}
    for name, standing in found.items():
        if len(standing) > 1:
            placed = _placed(wanted, places, present, name)
            chosen[name] = next((server for seat, server in standing if placed and seat == placed.seat), standing[0][1])
    return chosen


def _has_settled(wanted: Wanted, places: Sequence[Place]) -> bool:
    """Whether exactly the formation stands, and routers lead to nothing else."""
    standing = [dyno for one in places for dyno, _ in one.dynos(wanted.name)]
    quantity = sum(one.quantity for one in wanted.app.formation.values())
    if not (len(standing) == len(set(standing)) == quantity and all(map(wanted.has, standing))):
        return False
    serving = {server for one in places for server in servers(wanted.name, one)}
    routed = [one for _, one in named(wanted, places)]
    settled = all(one.generation == wanted.generation and set(one.servers) == serving for one in routed)
    web = sum(dyno.process_type == "web" for dyno in standing)
    return settled and len(routed) == len(places) and len(serving) == web


def _placed(wanted: Wanted, places: Sequence[Place], present: Mapping[str, int], name: str) -> Placement | None:
    """Where a dyno would be placed if it stood nowhere, with the others where they are."""
    others = {other: seat for other, seat in present.items() if other != name}
    with suppress(NoRoom):
        placed = place(wanted.name, wanted.app.formation, seats(wanted.name, places), others)
        return next(one for one in placed if one.name == name)
    return None


def _is_better(move: Move, places: Sequence[Place], present: Mapping[str, int]) -> bool:
    """Whether the seats of its type, or else the memory of both hosts, are more even for it."""
    kind, size = move.placement.process_type, SIZES[move.placement.size.lower()].memory
    counts = Counter(seat for name, seat in present.items() if name.partition(".")[0] == kind)
    fewer = counts[move.origin] - counts[move.placement.seat]
    free = {one.seat: one.state.memory for one in places}
    return fewer > 1 or (fewer == 1 and free[move.placement.seat] - free[move.origin] > size)


def _leads_to(server: Server, state: HostState) -> bool:
    return any(server in one.servers for one in state.routes)
