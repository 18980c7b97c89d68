"""Spaces of machines that the user already has: looked at, prepared, joined from another laptop, given back.

Until every machine has passed and the user has agreed, nothing on any of them is changed."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from deployer.errors.ledger import SpaceEmpty
from deployer.errors.rented import (
    BadDomain,
    HostsUnfit,
    MixedPlatforms,
    NoSpaceThere,
    NotFirstHost,
    PrivateAddressRefused,
)
from deployer.errors.spaces import BadSpaceName, SpaceExists
from deployer.model.events import Doing, Done, Tell, Warn
from deployer.model.names import is_space_name
from deployer.model.platforms import Platform
from deployer.model.space import Host, Pointer, Space, StoreAddress
from deployer.operations import stores
from deployer.operations.first_host import noted
from deployer.operations.prepare import prepare_host
from deployer.operations.session import whoami
from deployer.remote.acknowledged import AcknowledgedStore
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.remote.reach import Reach
from deployer.remote.store import HostStore
from deployer.spaces import pointers
from deployer.spaces.ssh import addresses
from deployer.spaces.ssh.inspect import Found, inspect, private_candidates, problems
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from deployer.version import VERSION

EPOCH = 1
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `spaces:create --host` is asked for. `private_addresses` go with `targets`, where any are given; `store` is
    where the ledger is to lie, None for the first host."""

    name: str
    targets: tuple[str, ...]
    domain: str | None = None
    private_addresses: tuple[str, ...] = ()
    store: StoreAddress | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be made: hosts as they were found, the first one first."""

    name: str
    hosts: tuple[Host, ...]
    found: tuple[Found, ...]
    platform: Platform
    url: str
    local_only: bool
    store: StoreAddress | None = None

    @property
    def packages(self) -> tuple[str, ...]:
        """What would be installed, on one of them at least."""
        return tuple(sorted({package for one in self.found for package in one.missing}))


Approve = Callable[[Preview], None]


def create(wanted: Wanted, reach: Reach, approve: Approve, tell: Tell) -> Space:
    """Make a space of machines. `approve` raises where the user does not agree. What is cut off is finished by the same
    command again."""
    _check(wanted)
    with _met(wanted, reach, tell) as sessions:
        preview = _preview(wanted, sessions, tell)
        approve(preview)
        store = stores.claim(wanted.store) if wanted.store else None
        sessions = [replace_host(session, host) for session, host in zip(sessions, preview.hosts, strict=True)]
        tell(Doing(f"Preparing {', '.join(host.id for host in preview.hosts)}"))
        fan_out(sessions, lambda session: prepare_host(session, preview.hosts, EPOCH, tell, wanted.name))
        tell(Done())
        store = store or AcknowledgedStore(sessions[0], lambda: sessions[1:], lambda: EPOCH)
        space = _write(preview, Ledger(store, whoami()))
        targets = dict(zip((host.id for host in preview.hosts), wanted.targets, strict=True))
        pointer = Pointer(wanted.name, "ssh", preview.hosts[0], "", store=wanted.store, targets=targets)
        pointers.save(noted(pointer, space, preview.hosts))
        for session in sessions:
            check_from_outside(session, tell)
    return space


def join(target: str, reach: Reach, store: StoreAddress | None = None) -> tuple[Pointer, Space]:
    """Have this machine know a space that another one has made, by its first host; `store` is where its ledger lies
    otherwise, below the space's name where it has no prefix."""
    host, way = reach.meet(target, target, 1)
    with reach.log_in(host, way) as session:
        found = inspect(session, target)
        if not found.taken:
            raise NoSpaceThere(target)
        store = store and (store if store.prefix else replace(store, prefix=found.space or ""))
        ledger = Ledger(S3Store(store) if store else HostStore(session), whoami())
        try:
            space = ledger.space()
        except SpaceEmpty as error:
            if store:
                raise
            raise NotFirstHost(target, found.space) from error
        if space.name in pointers.names():
            raise SpaceExists(space.name)
        hosts = ledger.hosts()
        first = replace(_first(space, hosts), host_key=host.host_key)
    pointer = noted(Pointer(space.name, "ssh", first, "", store=store, targets={first.id: target}), space, hosts)
    pointers.save(pointer)
    return pointer, space


def _first(space: Space, hosts: Sequence[Host]) -> Host:
    return next((host for host in hosts if host.id == space.first), hosts[0])


def replace_host(session: Session, host: Host) -> Session:
    """The same session, of a host of which more is known."""
    session.host = replace(host, user=session.host.user)
    return session


def _check(wanted: Wanted) -> None:
    if not is_space_name(wanted.name):
        raise BadSpaceName(wanted.name)
    if wanted.name in pointers.names():
        raise SpaceExists(wanted.name)
    if wanted.domain is not None and not DOMAIN.fullmatch(wanted.domain):
        raise BadDomain(wanted.domain)


@contextmanager
def _met(wanted: Wanted, reach: Reach, tell: Tell) -> Iterator[list[Session]]:
    """Sessions with the machines, one after another: each may have a question."""
    sessions: list[Session] = []
    try:
        for seat, target in enumerate(wanted.targets, 1):
            host, way = reach.meet(target, f"{wanted.name}-h{seat}", seat)
            sessions.append(reach.log_in(host, way))
        yield sessions
    finally:
        for session in sessions:
            session.close()


def _preview(wanted: Wanted, sessions: Sequence[Session], tell: Tell) -> Preview:
    """Look at all of them; HostsUnfit, MixedPlatforms."""
    tell(Doing(f"Looking at {', '.join(wanted.targets)}"))
    targets = {session.host.id: target for session, target in zip(sessions, wanted.targets, strict=True)}
    found = fan_out(sessions, lambda session: inspect(session, targets[session.host.id]))
    unfit = [f"{one.target}:\n" + "\n".join(why) for one in found if (why := problems(one, wanted.name))]
    if unfit:
        raise HostsUnfit(wanted.name, "\n\n".join(unfit))
    platforms = {one.platform for one in found}
    if len(platforms) > 1:
        raise MixedPlatforms(wanted.name, "\n".join(f"{one.target}: {one.platform}" for one in found))
    private = _private(wanted, sessions, found)
    local_only = len(sessions) > 1 and not private
    hosts = tuple(
        replace(
            session.host, private_address=private.get(session.host.id) or other_address(session.host, one, local_only)
        )
        for session, one in zip(sessions, found, strict=True)
    )
    tell(Done())
    return Preview(wanted.name, hosts, tuple(found), platforms.pop(), _url(wanted, hosts[0]), local_only, wanted.store)


def _private(wanted: Wanted, sessions: Sequence[Session], found: Sequence[Found]) -> dict[str, str]:
    """The hosts' addresses for each other; none where there is no network of their own."""
    given = wanted.private_addresses
    candidates = {s.host.id: private_candidates(one) for s, one in zip(sessions, found, strict=True)}
    if given:
        candidates = {s.host.id: [address] for s, address in zip(sessions, given, strict=False)}
    chosen = addresses.choose(sessions, candidates) if len(candidates) == len(sessions) else {}
    if given and not chosen:
        listed = "\n".join(f"{one.target}: {', '.join(one.addresses) or 'none'}" for one in found)
        raise PrivateAddressRefused(", ".join(given), f"They have these addresses:\n{listed}")
    return chosen


def other_address(host: Host, found: Found, shared: bool) -> str:
    """Where hosts have no network of their own: the address that others reach it at, or, where there are no others,
    one of its own, which behind address translation is another one."""
    if shared or host.address in found.addresses or not found.addresses:
        return numeric(host.address)
    return found.addresses[0]


def _url(wanted: Wanted, first: Host) -> str:
    if wanted.domain:
        return f"http://{{app}}.{wanted.domain}/"
    return f"http://{{app}}.{name_of_address(first)}/"


def name_of_address(host: Host) -> str:
    """A name that leads to a host's address without a domain of the user's: names below sslip.io say theirs."""
    return f"{re.sub('[.:]', '-', numeric(host.address))}.sslip.io"


def numeric(address: str) -> str:
    """An address as a number, where a name stands for it."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(address))
    with suppress(OSError):
        return str(socket.getaddrinfo(address, None, socket.AF_INET)[0][4][0])
    return address


def _write(preview: Preview, ledger: Ledger) -> Space:
    """The ledger; the space's own record last: before it, the machines belong to nobody."""
    for host in preview.hosts:
        ledger.free_seat(host.seat)  # of a command that was cut off here
    for host in preview.hosts:
        ledger.take_seat(host.id)
        ledger.save_host(host)
    space = Space(
        preview.name,
        "ssh",
        str(preview.platform),
        preview.url,
        ledger.timestamp(),
        VERSION,
        EPOCH,
        local_only=preview.local_only,
    )
    ledger.save_space(space)
    ledger.audit("spaces:create")
    return space


def check_from_outside(session: Session, tell: Tell) -> None:
    """Warn where a router is not reached from here. Firewalls of providers stand in no file on the host."""
    host = session.host
    try:
        socket.create_connection((host.address, 80), 5).close()
    except OSError as error:
        reason = error.strerror or str(error)
        tell(Warn(f"Port 80 of {host.address} does not answer from here ({reason}): a firewall before it?"))
