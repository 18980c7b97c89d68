"""A host of AWS in its space: who it is there, and what it reads of the others (docs/aws-hosts.md)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from deployer.errors.base import HostFailure
from deployer.host import files
from deployer.host.aws import METADATA, Aws, Bucket, Group, Member, Metadata, user_id
from deployer.host.ledger_store import LedgerStore, asking
from deployer.host.paths import Paths
from deployer.model import codec
from deployer.model.joining import JoinOrder
from deployer.model.membership import counting
from deployer.model.space import Host, Space
from deployer.store import keys, record
from deployer.store.base import Get, List, Put, Stored
from deployer.store.entries import Claim

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Myself:
    """This host: its orders, its instance's id, its USERID, and whom it asks."""

    order: JoinOrder
    metadata: Metadata
    aws: Aws
    store: LedgerStore
    group: Group
    instance: str
    user_id: str

    def members(self) -> list[Member]:
        """Who is in the group; `not-in-group` where this host is not."""
        with asking("asking for the group"):
            found = self.group.members()
        if self.instance not in [one.id for one in found]:
            raise HostFailure(
                "not-in-group", {"instance": self.instance, "reason": "the group has let go of this host"}
            )
        return found

    def write(self, what: str, value: Any) -> None:
        """Write what is this host's own beside its registration."""
        self.store.batch([Put(keys.own(self.user_id, what), record.dump(value))])


@dataclass(frozen=True, slots=True)
class Others:
    """What the store and the group said: the space, whose each seat is, with its etag, who is alive in the group, which
    hosts count by seat, all that are registered and in the group, whether they count or not, and the USERID of each by
    its id. Of those that the group knows, `serving` have joined, and `going` are well and are sent away."""

    space: Space
    seats: dict[int, str]
    etags: dict[int, str]
    alive: frozenset[str]
    counting: tuple[Host, ...]
    registered: tuple[Host, ...]
    users: dict[str, str]
    serving: frozenset[str]
    going: frozenset[str]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The private addresses of all that are registered and in the group."""
        return tuple(sorted(host.private_address for host in self.registered))

    @property
    def is_settled(self) -> bool:
        """Whether all hosts that the group has count and serve, and none comes or goes."""
        return frozenset(host.id for host in self.counting) == self.alive == self.serving and not self.going

    def next_to(self, instance: str) -> list[Host]:
        """The other hosts that count and serve, by seat."""
        return [host for host in self.counting if host.id != instance and host.id in self.serving]

    def seat_of(self, instance: str) -> int | None:
        """The seat of a host that counts."""
        return next((host.seat for host in self.counting if host.id == instance), None)


def who(order: JoinOrder) -> Myself:
    """Ask the metadata and AWS who this is."""
    metadata, aws = _asks(order)
    store = LedgerStore(Bucket(aws, order.bucket))
    with asking("asking for this host's own name"):
        instance = metadata.instance()
        return Myself(order, metadata, aws, store, Group(aws, instance), instance, user_id(aws))


def again(order: JoinOrder, instance: str, user: str) -> Myself:
    """The same as before, of whom AWS has said who it is."""
    metadata, aws = _asks(order)
    return Myself(order, metadata, aws, LedgerStore(Bucket(aws, order.bucket)), Group(aws, instance), instance, user)


def store_of(order: JoinOrder) -> LedgerStore:
    """The space's store, for what needs no more."""
    return LedgerStore(Bucket(aws_of(order), order.bucket))


def aws_of(order: JoinOrder) -> Aws:
    """AWS, asked with this host's role."""
    return _asks(order)[1]


def _asks(order: JoinOrder) -> tuple[Metadata, Aws]:
    metadata = Metadata(order.metadata or METADATA if order.endpoint else METADATA)
    return metadata, Aws(metadata.credentials, order.region, order.endpoint)


def read_order(request: Mapping[str, Any]) -> JoinOrder:
    """The order in a request; `bad-request`."""
    try:
        return codec.decode(JoinOrder, dict(request))
    except (TypeError, ValueError) as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error


def remember(paths: Paths, order: JoinOrder) -> None:
    """What makes this host one that has joined, for its timer."""
    files.write(paths.join_order, json.dumps(codec.encode(order)).encode() + b"\n", 0o600)


def remembered(paths: Paths) -> JoinOrder:
    """It; `not-joined` on every other host."""
    try:
        return read_order(json.loads(paths.join_order.read_text()))
    except FileNotFoundError:
        raise HostFailure("not-joined", {}) from None


def others(me: Myself) -> Others:
    """Read who there is; `store-empty` where the store holds no space yet."""
    members = me.members()
    space = read(me, Space, keys.SPACE)
    if space is None:
        raise HostFailure("store-empty", {"bucket": me.order.bucket, "reason": "the store holds no space yet"})
    names = [keys.seat(number) for number in range(1, space.seats + 1)]
    stored = dict(zip(names, me.store.batch([Get(name) for name in names]).answers, strict=True))
    sat = {int(name.removeprefix(keys.SEATS)): one for name, one in stored.items() if isinstance(one, Stored)}
    seats = {number: record.load(Claim, one).owner for number, one in sat.items()}
    alive = frozenset(one.id for one in members if one.is_alive)
    there = {one.id for one in members}
    registered = _registered(me, there)
    return Others(
        space,
        seats,
        {number: one.etag for number, one in sat.items()},
        alive,
        counting(registered.values(), seats, alive),
        tuple(registered.values()),
        {one.id: user for user, one in registered.items()},
        frozenset(one.id for one in members if one.state == "InService"),
        frozenset(one.id for one in members if one.healthy and one.state.startswith("Terminating")),
    )


def read(me: Myself, kind: type[T], key: str) -> T | None:
    """One record; None where there is none."""
    return record.found(kind, me.store.batch([Get(key)]).answers[0])


def _registered(me: Myself, there: Container[str]) -> dict[str, Host]:
    """The registrations of hosts that are in the group, by USERID; those of others stay in the store for long."""
    listed = me.store.batch([List(keys.HOSTS)]).answers[0]
    assert isinstance(listed, tuple)
    users = [key.removeprefix(keys.HOSTS) for key in listed]
    wanted = [user for user in users if "/" not in user and user.rpartition(":")[2] in there]
    found = me.store.batch([Get(keys.host(user)) for user in wanted]).answers if wanted else ()
    loaded = {user: _sound(one) for user, one in zip(wanted, found, strict=True) if isinstance(one, Stored)}
    return {user: host for user, host in loaded.items() if host and user.rpartition(":")[2] == host.id}


def _sound(stored: Stored) -> Host | None:
    """A registration; None where it makes no sense, as one of a host that is somebody else's by now."""
    try:
        host = record.load(Host, stored)
        ipaddress.ip_address(host.private_address)
    except (ValueError, TypeError):
        return None
    return host
