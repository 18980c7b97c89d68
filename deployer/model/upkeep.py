"""What a host of AWS does with nobody there: which dynos start or end on it, which routes are in force: pure rules.

All hosts come to the same answer from the same reports, and where their reports differ for a moment, to the same one
soon: of a process without a port that stands twice the one on the lowest seat stays, of a dyno that takes requests the
one that `moving` names, for every router and for both hosts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deployer.model import moving
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.placement import Placement, place
from deployer.model.places import Place, Wanted, by_seat, named, seats, servers
from deployer.model.routes import Routes, Server


def to_start(wanted: Wanted, places: Sequence[Place], own: int, leaving: Sequence[Place] = ()) -> list[Placement]:
    """The dynos that fall to the seat `own` and stand nowhere. NoRoom where some have room on no seat at all. Those on
    hosts that are `leaving` start beside the old; but of a process without a port never two run at the same time."""
    if not wanted.quiet:
        return []
    standing = [(dyno, one.seat) for one in by_seat(places) for dyno, _ in one.dynos(wanted.name) if wanted.has(dyno)]
    present = {dyno.name: seat for dyno, seat in reversed(standing)}
    placed = place(wanted.name, wanted.app.formation, seats(wanted.name, places), present)
    ends_first = {dyno.name for one in leaving for dyno, _ in one.dynos(wanted.name) if dyno.process_type != "web"}
    return [one for one in placed if one.seat == own and one.name not in present and one.name not in ends_first]


def to_end(wanted: Wanted, places: Sequence[Place], own: int) -> list[str]:
    """The instances on the seat `own` that should not run: of another release, or beyond the formation, or without a
    port and on a lower seat as well. None of them while a router that is known of names it."""
    if not wanted.quiet:
        return []
    here = next((one for one in places if one.seat == own), None)
    lower = {dyno for one in places if one.seat < own for dyno, _ in one.dynos(wanted.name) if _is_without_port(dyno)}
    routed = {(server.instance, server.address) for _, one in named(wanted, places) for server in one.servers}
    return [
        one.instance
        for dyno, one in (here.dynos(wanted.name) if here else ())
        if (not wanted.has(dyno) or dyno in lower) and here and (one.instance, here.address) not in routed
    ]


def keeping(wanted: Wanted, places: Sequence[Place], own: Place) -> list[str]:
    """The instances of a host that leaves, `own`, which it must not end yet: those whose dyno stands on none of the
    hosts that count, or to which a router of theirs leads; all of them while a command is at the app."""
    elsewhere = {dyno for one in places for dyno, found in one.dynos(wanted.name) if found.port is not None}
    routed = {(server.instance, server.address) for _, one in named(wanted, places) for server in one.servers}
    return [
        found.instance
        for dyno, found in own.dynos(wanted.name)
        if not wanted.quiet
        or (found.instance, own.address) in routed
        or (dyno.process_type == "web" and wanted.has(dyno) and dyno not in elsewhere)
    ]


def routes(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place] = ()) -> Routes | None:
    """Those that a router should have; None where it keeps what it has. `places` are all hosts that count, this one
    with the routes of its own router; those that are `leaving` take requests until others do."""
    return _settled(wanted, places, leaving) if wanted.quiet else _mended(wanted, places, leaving)


def _settled(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place]) -> Routes:
    """Of an app that nobody changes: for each dyno that takes requests the server that stays where there are two, that
    routers have named, or else the one that stands."""
    found = [(seat, one) for seat, one in named(wanted, places) if one.generation == wanted.generation]
    counting = {one.address: one.seat for one in places}
    routed = [server for _, one in found for server in one.servers if server.address in counting]
    standing = [server for one in [*by_seat(places), *leaving] for server in servers(wanted.name, one)]
    chosen = dict(moving.staying(wanted, places))
    for server in [*sorted(routed, key=lambda server: counting[server.address]), *standing]:
        dyno = parse_instance(server.instance)
        if dyno.process_type == "web" and wanted.has(dyno):
            chosen.setdefault(server.slot, server)
    whole = tuple(sorted(chosen.values(), key=lambda server: parse_instance(server.instance)))
    intent, redirect = _intent(wanted, whole), wanted.app.redirect
    return Routes(wanted.name, wanted.generation, wanted.domains, intent, whole, redirect=redirect)


def _intent(wanted: Wanted, chosen: Sequence[Server]) -> str:
    """A web dyno that is to come is waited for, as one that boots."""
    web = wanted.app.formation.get("web")
    has_web = bool(chosen) or (web is not None and web.quantity > 0)
    return "maint" if wanted.app.maintenance else "running" if has_web else "none"


def _mended(wanted: Wanted, places: Sequence[Place], leaving: Sequence[Place]) -> Routes | None:
    """Of an app that somebody changes: the newest routes there are, without the servers of hosts that are gone."""
    found = [one for _, one in named(wanted, places)]
    if not found:
        return None
    newest = max(found, key=lambda one: one.generation)
    alive = {one.address for one in [*places, *leaving]}
    standing = {(s.slot, s.instance): s for one in reversed(by_seat(places)) for s in servers(wanted.name, one)}
    kept = (s if s.address in alive else standing.get((s.slot, s.instance)) for s in newest.servers)
    left = tuple(server for server in kept if server)
    return replace(newest, domains=wanted.domains, redirect=wanted.app.redirect, servers=left)


def _is_without_port(dyno: Dyno) -> bool:
    return dyno.process_type != "web"
