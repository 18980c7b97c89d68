"""Which host a database lives on: the one that was the first when it was made, which may be lost, or no longer the
first. In AWS on none: RDS has it, and any host reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from deployer.addons.catalog import find_provider
from deployer.addons.postgresql import Postgresql
from deployer.addons.provider import Place
from deployer.errors.addons import DatabaseHostLost
from deployer.errors.base import Failure
from deployer.model.addon import Addon
from deployer.model.events import Tell, Warn
from deployer.model.space import Host
from deployer.operations.managed_databases import managed_place
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store.ledger import Ledger

MANAGED = "aws"  # the kind of spaces whose databases are on no host


def place_of(addon: Addon) -> str | None:
    """The address of the host that an add-on lives on; None where it has not been made."""
    return urlsplit(addon.config.get("URL", "")).hostname


def living_on(ledger: Ledger, host: Host) -> tuple[Addon, ...]:
    """The add-ons whose data is on a host."""
    return tuple(addon for addon in ledger.addons() if place_of(addon) == host.private_address)


def host_with(space: OpenSpace, addon: Addon) -> Session:
    """The session with the host that an add-on lives on, whether it counts or not; DatabaseHostLost. In AWS the session
    with one that reaches it."""
    if space.space.kind == MANAGED:
        return space.first
    place = place_of(addon)
    if place is None:
        return host_for_new(space)
    if place == space.first.host.private_address:  # the usual case, in which no other host is dialled
        return space.first
    for host in space.hosts_known():
        if host.private_address == place:
            if session := space.session_of(host.id):
                return session
            place = host.id
    raise DatabaseHostLost(addon.name, addon.service, addon.app, place)


def place_of_existing(space: OpenSpace, addon: Addon) -> Place:
    """Where an add-on lives; DatabaseHostLost."""
    return managed_place(space, addon) if space.space.kind == MANAGED else Place(host_with(space, addon))


def place_for_new(space: OpenSpace, addon: Addon) -> Place:
    """Where a database is to be made; SpaceWithoutDatabase."""
    return managed_place(space, addon) if space.space.kind == MANAGED else Place(host_for_new(space))


def host_for_new(space: OpenSpace) -> Session:
    """Where a database is to be made: beside others on a host that counts, or on the first one."""
    with_some = _with_databases(space, (space.first, *space.answering))
    return with_some[0] if with_some else space.first


def trust_databases(space: OpenSpace, sessions: Sequence[Session], tell: Tell) -> None:
    """Have these hosts able to verify each PostgreSQL that there is on one of them, and let in by it."""
    if space.space.kind == MANAGED:
        return  # hosts find in the store what they need (host/join.py)
    for session in _with_databases(space, sessions):
        try:
            Postgresql().ensure(session, sessions, tell)
        except Failure as failure:  # all else of the host is in order
            tell(Warn(f"The databases on {session.host.id} may not be reached: {failure.paragraphs()[0]}"))


def _with_databases(space: OpenSpace, sessions: Sequence[Session]) -> list[Session]:
    found = [addon for addon in space.ledger.addons() if isinstance(find_provider(addon.service), Postgresql)]
    places = {place_of(addon) for addon in found}
    return [session for session in sessions if session.host.private_address in places]
