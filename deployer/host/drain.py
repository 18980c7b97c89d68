"""A host of AWS hands over what it has, with nobody there: because its group takes it away, or before it boots again.

Its router tells the front that it wants nothing more, and its seat is free: the others see that within seconds, start
its dynos beside the old ones and route to them. Only then do the old ones end. Its own router leads to the others'
dynos until the machine ends: whoever still sends requests here loses none.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from deployer.errors.base import HostFailure
from deployer.host import ledger_view, myself, report, retire, router, router_socket, seat
from deployer.host.aws import Refused, Unanswered, find_address, take_address
from deployer.host.channel import Channel
from deployer.host.fence import fenced
from deployer.host.ledger_store import asking
from deployer.host.lock import host_lock
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.host.router_socket import RouterIsDown
from deployer.host.upkeep import DRAIN, Upkeep
from deployer.model import upkeep
from deployer.model.dyno import parse_instance
from deployer.model.places import Place

HOOK = "drain"
WANTED = "meta-data/autoscaling/target-lifecycle-state"
PATIENCE = 600.0  # seconds that others get to serve what runs here
BETWEEN = 2.0  # seconds between two looks
DONE = "handed over\n"
BEAT = 30.0  # seconds between two signs to the group that it is still at it: it waits for 120


def is_sent_away(me: Myself) -> bool:
    """Whether its group takes this host away: of the host's own metadata, which costs no request to AWS."""
    try:
        return me.metadata.read(WANTED) == "Terminated"
    except Refused as refused:
        if refused.status != 404:
            raise
        return False


def leave(me: Myself, channel: Channel) -> None:
    """Hand over, and tell the group that it may go on. It can be begun again; it takes `PATIENCE` at most, and what has
    not found another host by then ends all the same."""
    paths = channel.paths
    if not (paths.joining.exists() or _is_done(paths)):  # the former has never served
        with _heartbeats(me):
            hand_over(me, channel, whatever=True)
        paths.leaving.parent.mkdir(parents=True, exist_ok=True)
        paths.leaving.write_text(DONE)
        channel.event({"event": "changed", "what": "handed over: the group may end this host"})
    with suppress(Refused):  # nobody waits for it any more
        me.group.complete(HOOK, "CONTINUE")


def _is_done(paths: Paths) -> bool:
    return paths.leaving.exists() and paths.leaving.read_text() == DONE


def hand_over(me: Myself, channel: Channel, *, whatever: bool) -> bool:
    """Have the others serve what runs here, and end it; whether they do. Where none comes that could, this one serves
    on until it ends. What has found no other host in time ends `whatever` it is, or runs on here."""
    paths, end = channel.paths, time.monotonic() + PATIENCE
    if not _someone_to_come(me, end):
        return False
    _move_address(me)
    if not paths.leaving.exists():
        paths.leaving.parent.mkdir(parents=True, exist_ok=True)
        paths.leaving.touch()
        with host_lock(paths):
            router.follow_maps(router.of_host(paths))
    while not (is_done := _turn(me, channel)) and time.monotonic() < end:
        time.sleep(BETWEEN)
    if not (is_done or whatever):
        return False
    _let_requests_end(paths)
    _end(me, channel, [one.instance for one in report.in_force(paths)], drain=DRAIN)
    me.write("state", report.state(paths, me.instance))
    return is_done


def _someone_to_come(me: Myself, end: float) -> bool:
    """Wait for another host that serves, as long as the group wants to have one."""
    while not myself.others(me).next_to(me.instance):
        if time.monotonic() > end or not desired(me):
            return False
        time.sleep(BETWEEN)
    return True


def desired(me: Myself) -> int:
    """How many hosts the group is to have: none where the space is taken down."""
    with asking("asking how many hosts there should be"):
        facts = {"AutoScalingGroupNames.member.1": me.group.name}
        answer = me.aws.ask("autoscaling", "DescribeAutoScalingGroups", **facts)
    return int(answer.findtext(".//DesiredCapacity") or 0)


def _move_address(me: Myself) -> None:
    """Where the host's own address is the front, it leads to another host first; that one may have taken it already."""
    if me.order.has_front:
        return
    other = myself.others(me).next_to(me.instance)[0]
    with asking("giving the space's address to another host"):
        address = find_address(me.aws, me.order.space, me.order.address)
        if address.holder == me.instance:
            take_address(me.aws, address.allocation, other.id)


def _turn(me: Myself, channel: Channel) -> bool:
    """One look at all: whether nothing is needed here any more. What fails is tried again the next time."""
    try:
        return _look(me, channel)
    except HostFailure as failure:
        reason = str(failure.details.get("reason") or failure.details)
        print(f"handing over: {failure.code}: {reason}", file=sys.stderr, flush=True)  # for the journal
        return False


def _look(me: Myself, channel: Channel) -> bool:
    """What has no port ends first: of such never two run at the same time."""
    _end(me, channel, _without_port(me, channel.paths), drain=0)
    me.write("state", report.state(channel.paths, me.instance))
    seat.give_up(me, known := myself.others(me))
    known = myself.others(me) if known.seat_of(me.instance) else known
    Upkeep(me, known, 0, channel).run()  # on no seat nothing starts or ends, and its router follows the others
    return not _kept(me, known, channel.paths)


def _kept(me: Myself, known: Others, paths: Paths) -> list[str]:
    """The instances here that others do not serve yet."""
    state = report.state(paths, me.instance)
    places = [one for one in report.places(me, known, state) if one.state.host != me.instance]
    with asking("asking for this host's addresses"):
        own = Place(0, me.metadata.private_address(), state)
    return [
        instance
        for view in ledger_view.views(me.store)
        for instance in upkeep.keeping(view.wanted(known.space), places, own)
    ]


def _without_port(me: Myself, paths: Paths) -> list[str]:
    """The instances here that take no requests, of apps that no command is at."""
    here = [one for one in report.in_force(paths) if one.port is None]
    busy = {view.app.name for view in ledger_view.views(me.store) if view.held or view.operation} if here else ()
    return [one.instance for one in here if one.dyno.app not in busy]


def _end(me: Myself, channel: Channel, instances: Sequence[str], *, drain: float) -> None:
    """Stop dynos, as the upkeep of their app would; a command that is at one of them is not waited for any more."""
    for app in sorted({parse_instance(one).app for one in instances}):
        own = [one for one in instances if parse_instance(one).app == app]
        token, _ = ledger_view.lease(me.store, app)
        with fenced({"app": app, "token": token}, channel.paths, required=True):
            retire.retire({"instances": own, "drain": drain}, channel)
        channel.event({"event": "changed", "what": f"ended {', '.join(own)}"})


def _let_requests_end(paths: Paths) -> None:
    """Those that the own router is at, wherever their dynos are."""
    end = time.monotonic() + DRAIN
    with suppress(RouterIsDown):
        while router_socket.in_flight(paths.router_socket) and time.monotonic() < end:
            time.sleep(0.1)


@contextmanager
def _heartbeats(me: Myself) -> Iterator[None]:
    """Have the group wait for as long as this goes on."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(Refused, Unanswered, HostFailure):
                me.group.heartbeat(HOOK)

    threading.Thread(target=beat, name="heartbeats", daemon=True).start()
    try:
        yield
    finally:
        over.set()
