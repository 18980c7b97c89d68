"""The call `join`: a host of AWS joins its space, with nobody there (docs/aws-hosts.md). Each step can be repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import myself, rebooting, router, seat, updates
from deployer.host.aws import Group, Refused, Unanswered, find_address, take_address
from deployer.host.channel import Channel
from deployer.host.converge import Seen, alone, let_people_in, look_at_everything, prepare_request, publish
from deployer.host.first_boot import HOOK
from deployer.host.ledger_store import asking
from deployer.host.lock import host_lock
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.host.prepare import prepare
from deployer.model.joining import JoinFailure, JoinOrder
from deployer.model.moment import spelled

COMPANY = 30.0  # seconds for which others that join at the same time are waited for: dynos are placed on all seats
PATIENCE = 60.0  # seconds that others get to tell of newer routes, or to start what routes should lead to
BETWEEN = 2.0  # seconds between two looks
BEAT = 120.0  # seconds between two signs that it is still at it


class Steps:
    """The step that a host is at, told as an event when it begins."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.now = "identity"

    def __call__(self, name: str) -> None:
        self.now = name
        self._channel.event({"event": "step", "step": name})


def join(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{host, seat}`. A failure carries its `step`, and stands in the store too, if it can be reached."""
    order = myself.read_order({name: value for name, value in request.items() if name != "call"})
    with alone(channel.paths, wait=True):
        return join_alone(order, channel)


def join_alone(order: JoinOrder, channel: Channel) -> dict[str, Any]:
    """The same, where nobody else is at it."""
    step = Steps(channel)
    me = myself.who(order)
    try:
        number = _join(me, channel, step)
    except HostFailure as failure:
        reason = str(failure.details.get("reason") or failure.details or failure.code)
        with suppress(HostFailure):
            at = spelled(datetime.now(UTC))
            me.write("failed", JoinFailure(me.instance, at, step.now, f"{failure.code}: {reason}"))
        raise HostFailure(failure.code, {**failure.details, "step": step.now}) from failure
    return {"host": me.instance, "seat": number}


def _join(me: Myself, channel: Channel, step: Steps) -> int:
    paths = channel.paths
    is_new = next(one for one in me.members() if one.id == me.instance).state.startswith("Pending")
    with _heartbeats(me.group, is_new):
        step("prepare")
        if is_new:
            paths.joining.parent.mkdir(parents=True, exist_ok=True)
            paths.joining.touch()
        _prepare(me, myself.others(me), channel)
        let_people_in(me, paths)
        step("seat")
        number = seat.take(me)
        step("register")
        seat.register(me, seat.registration(me, paths, number))
        step("apps")
        _keep_up(me, number, channel)
        step("serve")
        serve(paths)
        step("complete")
        _complete(me, is_new)
    rebooting.end_turn(me)
    return number


def _keep_up(me: Myself, number: int, channel: Channel) -> None:
    """Layers, dynos and routes of all apps. What routes should lead to may start on another host just now,
    which waits for what starts here: each tells of its own, and looks again, for a while."""
    paths, seen = channel.paths, Seen(me.instance, me.user_id)
    publish(me, paths, seen)
    end = time.monotonic() + PATIENCE
    kept = look_at_everything(me, _in_company(me), number, channel)
    publish(me, paths, seen)
    while kept.behind and time.monotonic() < end:
        time.sleep(BETWEEN)
        kept = look_at_everything(me, myself.others(me), number, channel)
        publish(me, paths, seen)


def _in_company(me: Myself) -> Others:
    """Who there is, when all have come that the group starts just now, or have had their time."""
    end = time.monotonic() + COMPANY
    while True:
        known = myself.others(me)
        if known.alive <= {host.id for host in known.counting} or time.monotonic() > end:
            return known
        time.sleep(BETWEEN)


def serve(paths: Paths) -> None:
    """The router wants the front's traffic from now on."""
    paths.joining.unlink(missing_ok=True)
    with host_lock(paths):
        router.follow_maps(router.of_host(paths))


def _prepare(me: Myself, known: Others, channel: Channel) -> None:
    """As every host is prepared. Its own address is among the space's: so it will be when it has registered."""
    myself.remember(channel.paths, me.order)
    with asking("asking for this host's addresses"):
        own = me.metadata.private_address()
    prepare(prepare_request(me, known, [*known.addresses, own]), channel)

    def tell(what: str) -> None:
        channel.event({"event": "changed", "what": what})

    updates.ensure(channel.paths.system, tell, tell)


@contextmanager
def _heartbeats(group: Group, is_new: bool) -> Iterator[None]:
    """Have the group wait for as long as this goes on: a slow mirror is no reason to begin anew with another host."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(Refused, Unanswered):
                group.heartbeat(HOOK)

    beating = threading.Thread(target=beat, name="heartbeats", daemon=True)
    if is_new:
        beating.start()
    try:
        yield
    finally:
        over.set()


def _complete(me: Myself, is_new: bool) -> None:
    """Tell the group, and take the address last: it ends the one that packages came through."""
    if is_new:
        with asking("telling the group that this host has joined"):
            me.group.complete(HOOK, "CONTINUE")
    if not me.order.has_front:
        with asking("taking the space's address"):
            address = me.order.address or find_address(me.aws, me.order.space).allocation
            take_address(me.aws, address, me.instance)
