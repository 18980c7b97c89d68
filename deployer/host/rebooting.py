"""A host of AWS boots again where an update asks for it: in a window at night, one host of the space at a time, and
where there are others, only when they serve what ran on it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from deployer.host import drain, myself
from deployer.host.channel import Channel
from deployer.host.lock import host_lock
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.store import keys, record
from deployer.store.base import Get, Lost, Put, Stored

MARK = "run/reboot-required"  # what Debian's packages leave
WINDOW = range(3, 5)  # hours of the day, UTC
LONGEST = 3600.0  # seconds; one that has not come back by then keeps nobody else
NOTICE = 30.0  # seconds until a load balancer has asked twice, and sends nothing any more


@dataclass(frozen=True, slots=True)
class Turn:
    """`seats/reboot`: the host whose turn it is (empty: nobody's), and since when, in seconds since 1970."""

    owner: str
    at: float
    schema: int = 1


def is_due(paths: Paths, now: float) -> bool:
    """Whether this host waits for it, and may do it now."""
    return (paths.system / MARK).exists() and time.gmtime(now).tm_hour in WINDOW


def reboot(me: Myself, channel: Channel, now: float, go: Callable[[], None]) -> bool:
    """Take the turn, hand over where there is somebody, and `go`; whether it came to that. It joins again when it has
    booted. Where others cannot take what runs here it serves on."""
    known = myself.others(me)
    if len(known.alive & known.serving) < drain.desired(me) or not take_turn(me, known, now):
        return False  # while one is to come, this one is needed
    if known.next_to(me.instance):
        if not drain.hand_over(me, channel, whatever=False):
            end_turn(me)
            return False
        if me.order.has_front:
            time.sleep(NOTICE)
    channel.event({"event": "changed", "what": "boots again, as an update asks for it"})
    join_again(channel.paths)
    go()
    return True


def join_again(paths: Paths) -> None:
    """Have this host be one that joins: its next look takes a seat, and has it serve."""
    paths.joining.parent.mkdir(parents=True, exist_ok=True)
    with host_lock(paths):
        paths.joining.touch()
        paths.leaving.unlink(missing_ok=True)


def boot_again() -> None:
    """Through systemd: dynos are told to stop."""
    subprocess.run(["systemctl", "reboot"], check=True, capture_output=True)


def take_turn(me: Myself, known: Others, now: float) -> bool:
    """Whether it is this host's turn from now on: nobody else's, by a write that one host alone can win."""
    stored = me.store.batch([Get(keys.REBOOT)]).answers[0]
    turn, etag = (record.load(Turn, stored), stored.etag) if isinstance(stored, Stored) else (None, None)
    if turn and turn.owner not in ("", me.instance) and turn.owner in known.alive and now - turn.at < LONGEST:
        return False
    mine = record.dump(Turn(me.instance, now))
    try:
        record.put(me.store, Put(keys.REBOOT, mine, if_absent=etag is None, if_match=etag))
    except Lost:
        return False
    return True


def end_turn(me: Myself) -> None:
    """Whoever is next may go, where it was this host's turn."""
    stored = me.store.batch([Get(keys.REBOOT)]).answers[0]
    if isinstance(stored, Stored) and record.load(Turn, stored).owner == me.instance:
        with suppress(Lost):
            record.put(me.store, Put(keys.REBOOT, record.dump(Turn("", 0.0)), if_match=stored.etag))
