"""Hosts that come: what a host must have before it counts; and dynos that have lost theirs.

A host that was left out has missed releases, scalings and whole apps. Before it counts again its router has the routes
that are in force, it has the layers of every release that can be asked for, and what it should no longer run is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from deployer.errors.base import Failure
from deployer.model import codec
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.events import Detail, Tell, Warn
from deployer.model.routes import Routes
from deployer.operations import phases
from deployer.operations.change import holding_app, holding_change
from deployer.operations.converge import converge, lacks_dynos
from deployer.operations.database_hosts import trust_databases
from deployer.operations.phases import Fence
from deployer.operations.prepare import prepare_host
from deployer.operations.release import kept_layers
from deployer.operations.roll_call import rolls
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.ship.relay import relay
from deployer.store.ledger import AppState

APP_PATIENCE = 20.0  # seconds that another command may still hold an app's lease


@contextmanager
def bring_up_to_date(space: OpenSpace, session: Session, tell: Tell) -> Iterator[None]:
    """Give a host what it lacks, and hold every app still until the block, which makes it count, is over. Needs the
    space's lease; LeaseHeld where an app is being changed for too long."""
    tell(Detail(f"bringing {session.host.id} up to date"))
    session.call("store_retire", {"epoch": space.space.epoch})  # where it was the first host before another one was
    rented = space.space.name if space.space.kind == "ssh" else ""
    roll = rolls(space.space.roll, space.hosts)[session.host.id]
    prepare_host(session, space.hosts, space.space.epoch, tell, rented, roll)
    with ExitStack() as stack:
        held = {app.name: _held(stack, space, app.name) for app in space.ledger.apps()}
        there = _dynos(session)
        elsewhere = {(one.app, one.name) for answer in fan_out(space.answering, _dynos) for one in answer}
        routes = _routes_for(space, session)
        for app, fence in held.items():
            state = space.ledger.state(app)
            if state is not None:
                mine = [one for one in there if one.app == app]
                keep = kept(state, routes.get(app), session.host.private_address, mine, elsewhere)
                _update(space, session, state, fence, routes.get(app), mine, keep)
        trust_databases(space, (*space.answering, session), tell)
        tokens = session.call("facts")["tokens"]
        for app in sorted(set(tokens) - set(held)):
            remove_unknown(session, _held(stack, space, app), tokens[app])
        yield


def remove_unknown(session: Session, fence: Fence, highest: int) -> None:
    """Take off a host what it still has of an app that the ledger does not know: it was destroyed while this host did
    not answer. `highest` is the highest token that the host has seen for it."""
    # A host that had an app before its ledger was made may have seen higher tokens than the ledger counts.
    session.call("remove", replace(fence, token=max(fence.token, highest)).request())


def kept(
    state: AppState, routes: Routes | None, address: str, there: Sequence[Dyno], elsewhere: Set[tuple[str, str]]
) -> list[Dyno]:
    """Which of an app's dynos on a host that comes back go on: those that routers name, and those without a port that
    are of the current release and run nowhere else."""
    here = (address, "127.0.0.1")  # the latter where routers send requests to their own host's dynos alone
    named = {server.instance for server in routes.servers if server.address in here} if routes else set()
    current = state.current.release if state.current else None
    return [
        one
        for one in there
        if one.instance in named
        or (
            one.process_type != "web"
            and one.release == current
            and (one.app, one.name) not in elsewhere
            and one.process_type in state.app.formation
            and one.number <= state.app.formation[one.process_type].quantity
        )
    ]


def fill_up(space: OpenSpace, tell: Tell, but: str | None = None) -> None:
    """Start what no host runs any more, and route to names that have changed, of every app but one; an app that cannot
    is named, and the next one follows."""
    named = {routes.app: routes.domains for routes in routes_in_force(space.first)}
    for app in space.ledger.apps():
        if app.name == but:
            continue
        try:
            with holding_change(space, app.name, "start dynos elsewhere", tell, APP_PATIENCE) as change:
                if lacks_dynos(change):
                    tell(Detail(f"{app.name}: its dynos start on other hosts"))
                    converge(change)
                elif named.get(app.name, change.domains) != change.domains:
                    converge(change)
        except Failure as failure:
            tell(Warn(f"{app.name}: its dynos could not be started on other hosts: {failure.paragraphs()[0]}"))


def routes_in_force(session: Session) -> list[Routes]:
    """Of every app, on one host."""
    return [codec.decode(Routes, one) for one in session.call("routes")["routes"]]


def _routes_for(space: OpenSpace, session: Session) -> dict[str, Routes]:
    """The routes in force of every app, as this host's router should have them."""
    routes = {one.app: one for one in routes_in_force(space.first)}
    if not space.space.local_only:
        return routes
    own = {one.app: one for one in routes_in_force(session)}
    nothing = {app: one.local_to(session.host.private_address) for app, one in routes.items()}
    return {
        app: own[app] if app in own and own[app].generation == one.generation else nothing[app]
        for app, one in routes.items()
    }


def _held(stack: ExitStack, space: OpenSpace, app: str) -> Fence:
    held = stack.enter_context(holding_app(space, app, "bring a host up to date", APP_PATIENCE))
    return Fence(app, held.token, space.space.epoch)


def _dynos(session: Session) -> list[Dyno]:
    found = session.call("ps")["dynos"]
    return [parse_instance(dyno["instance"]) for dyno in found if dyno["type"] not in phases.ONE_OFF]


def _update(
    space: OpenSpace,
    session: Session,
    state: AppState,
    fence: Fence,
    routes: Routes | None,
    there: Sequence[Dyno],
    keep: Sequence[Dyno],
) -> None:
    """One app: layers, then routes, then what it should no longer run goes."""
    relay(space.first, session, fence.request(uid=state.app.uid), kept_layers(space.ledger, state.app.name))
    if routes is not None:
        links = [one.instance for one in keep]
        session.call("switch", fence.request(routes=codec.encode(routes), links=links))
    stale = [one.instance for one in there if one not in keep]
    session.call("retire", fence.request(instances=stale, drain=0))
