"""The call `converge`: what a timer runs on every host of AWS that has joined, every ten seconds (docs/aws-hosts.md).

Mostly it asks whether something has changed, and nothing has. What it knows from the last time lies in one file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import drain, files, firewall, https, myself, newer, rebooting, report, roll, router, seat, walls
from deployer.host.access import let_in
from deployer.host.aws import find_address, take_address
from deployer.host.certificates import trust
from deployer.host.channel import Channel
from deployer.host.epoch import learn_epoch
from deployer.host.ledger_store import asking
from deployer.host.lock import host_lock, locked, tried
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.host.retire import retire
from deployer.host.upkeep import Kept, Upkeep
from deployer.model import codec
from deployer.model.joining import Access, JoinOrder
from deployer.model.roll import Roll
from deployer.store import keys
from deployer.store.base import Get, Stored

FULL = 300.0  # seconds between two looks at everything
GROUP = 30.0  # seconds between two looks at who is alive in the group: a host that ends says nothing
CALM = 60.0  # seconds without news, after which dynos move back to where they belong
OFTEN = 10.0  # seconds, twice as many each time, where something was still to come on other hosts


@dataclass(frozen=True, slots=True)
class Seen:
    """What this host knows from before: who it is, etags, when it looked at everything (seconds since 1970), a digest
    of what it has published; `busy` where a command was at an app then, `behind` how often in a row something was still
    to come; who was `alive` when the group was `asked`; how many `seats` there were; `since` when there has been no
    news."""

    instance: str
    user: str
    etags: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    state: str = ""
    busy: bool = False
    behind: int = 0
    alive: tuple[str, ...] = ()
    asked: float = 0.0
    seats: int = 0
    since: float = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time to look at everything."""
        pause = min(FULL, OFTEN * 2 ** (self.behind - 1)) if self.behind else FULL
        return self.busy or now - self.at >= pause or self.at < self.since + CALM <= now

    def is_calm(self, now: float) -> bool:
        """Whether nothing has happened for a while."""
        return now - self.since >= CALM


def converge(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{looked}`: whether it looked at everything; with `busy` this host is at it already, or joins; with
    `leaving` its group takes it away; `agent` is the newer one that it has followed, which looks the next time."""
    order = myself.remembered(channel.paths)
    with alone(channel.paths, wait=False) as is_alone, saying_why():
        if not is_alone:
            return {"looked": False, "busy": True}
        me, seen = recall(order, channel.paths)
        if drain.is_sent_away(me):
            drain.leave(me, channel)
            return {"looked": True, "leaving": True}
        if channel.paths.leaving.exists():  # cut off as it handed over, to boot again
            rebooting.join_again(channel.paths)
        if channel.paths.joining.exists():  # the host was booted again in the middle of joining
            from deployer.host.join import join_alone

            return {"looked": True, **join_alone(order, channel)}
        found = _look(me, seen, channel)
        if rebooting.is_due(channel.paths, time.time()):
            rebooting.reboot(me, channel, time.time(), rebooting.boot_again)
        return found


@contextmanager
def saying_why() -> Iterator[None]:
    """A timer has nobody who hears what failed: the journal does."""
    try:
        yield
    except HostFailure as failure:
        say(f"{failure.code}: {failure.details.get('reason') or failure.details}")
        raise


def say(what: str) -> None:
    """A line of the journal."""
    print(what, file=sys.stderr, flush=True)


@contextmanager
def alone(paths: Paths, *, wait: bool) -> Iterator[bool]:
    """One `join` or `converge` at a time; whether this is the one."""
    paths.root.mkdir(parents=True, exist_ok=True)
    path = paths.root / "converge.lock"
    if wait:
        with locked(path, fcntl.LOCK_EX):
            yield True
    else:
        with tried(path) as is_alone:
            yield is_alone


def look_at_everything(me: Myself, known: Others, number: int, channel: Channel, *, calm: bool = False) -> Kept:
    """Firewall and roll, whom dynos trust, then all apps and their certificates."""
    follow(me, known, channel.paths)
    if trust_database(me, channel.paths):
        channel.event({"event": "changed", "what": "authorities of the space's database"})
    kept = Upkeep(me, known, number, channel, calm=calm).run()
    follow_certificates(me, known, channel)
    return kept


def follow_certificates(me: Myself, known: Others, channel: Channel) -> None:
    """This router shows what the store has, or knows for which names the load balancer before it has any."""
    if me.order.has_front:
        if https.learn_secure(known.space, me.store, channel.paths):
            channel.event({"event": "changed", "what": "the names that answer to HTTPS"})
        return
    for name in https.follow(me.store, channel.paths):
        channel.event({"event": "changed", "what": f"the certificate of {name}"})


def follow(me: Myself, known: Others, paths: Paths) -> None:
    """Let in the hosts of the space, and know whom to ask whether this one counts."""
    learn_epoch(paths, known.space.epoch)
    with host_lock(paths):
        roll.learn(paths, roll_of(me, known))
        walls.set_hosts(paths, known.addresses)
        if walls.save(paths):
            firewall.load()
        router.follow_maps(router.of_host(paths))


def roll_of(me: Myself, known: Others) -> Roll:
    """Who counts, as this host's router is told. Nobody is left out by a command here: the group takes care of that."""
    peers = tuple(host.private_address for host in known.counting if host.id != me.instance)
    return Roll(known.space.roll, me.instance, peers)


def prepare_request(me: Myself, known: Others, addresses: Iterable[str]) -> dict[str, Any]:
    """The request by which a host of AWS is prepared; `addresses` are those that its firewall lets in."""
    hosts = sorted(set(addresses))
    return {"hosts": hosts, "epoch": known.space.epoch, "roll": codec.encode(roll_of(me, known))}


def let_people_in(me: Myself, paths: Paths) -> bool:
    """Their keys are root's; whether that changed any. Where the store has no such record nothing is changed."""
    found = myself.read(me, Access, keys.ACCESS)
    return found is not None and let_in(paths, found)


def trust_database(me: Myself, paths: Paths) -> bool:
    """Dynos here can verify the database that RDS runs for the space; whether that changed anything. They stand in the
    store from the first add-on on."""
    stored = me.store.batch([Get(keys.DATABASE_CA)]).answers[0]
    return isinstance(stored, Stored) and trust(paths.system, stored.body.decode())


def recall(order: JoinOrder, paths: Paths) -> tuple[Myself, Seen]:
    """Who this is, and what it knows from the last time; it asks AWS the first time only."""
    seen = _remembered(paths)
    if seen is not None:
        return myself.again(order, seen.instance, seen.user), seen
    me = myself.who(order)
    return me, Seen(me.instance, me.user_id)


def _look(me: Myself, seen: Seen, channel: Channel) -> dict[str, Any]:
    paths = channel.paths
    now = _asked(me, seen)
    is_news = (now.etags, now.alive) != (seen.etags, seen.alive)
    if is_news:
        now = replace(now, since=time.time())
    if looked := is_news or seen.is_due(time.time()):
        known = myself.others(me)
        # What this one has seen is not remembered: the newer one looks at everything.
        if agent := newer.follow(me, paths, prepare_request(me, known, known.addresses), say):
            return {"looked": False, "agent": agent}
        kept, seats = _everything(me, known, channel, calm=now.is_calm(time.time()))
        for app, why in kept.failed.items():
            say(f"{app}: {why}")
        behind = 0 if not kept.behind else 1 if is_news else min(seen.behind + 1, 9)
        # Published again in any case: it may say that dynos come, and they did not.
        now = replace(now, at=time.time(), state="", busy=kept.busy, behind=behind, seats=seats)
    publish(me, paths, now)
    return {"looked": looked}


def _asked(me: Myself, seen: Seen) -> Seen:
    """The same with what is so now of what is asked for each time, or each third time."""
    now = replace(seen, etags=me.store.etags(watched(seen.seats), seen.etags))
    if time.time() - seen.asked < GROUP:
        return now
    try:
        alive = tuple(sorted(one.id for one in me.members() if one.is_alive))
    except HostFailure as failure:
        # For minutes, as where the space's address has just gone to another host; the store is reached without it.
        if failure.code != "aws-unanswered":
            raise
        alive = seen.alive
    return replace(now, alive=alive, asked=time.time())


def watched(seats: int) -> list[str]:
    """The keys whose change is looked for, in a space of so many seats."""
    return [
        keys.SPACE,
        keys.ACCESS,
        keys.AGENT,
        keys.DATABASE_CA,
        keys.CERTIFICATES_CHANGED,
        *(keys.seat(number) for number in range(1, seats + 1)),
    ]


def _everything(me: Myself, known: Others, channel: Channel, *, calm: bool) -> tuple[Kept, int]:
    """All of it, and how many seats there are. A host that does not count any more lets requests end that its dynos
    are at; what takes none starts on others, and ends here."""
    if let_people_in(me, channel.paths):
        channel.event({"event": "changed", "what": "keys"})
    number = known.seat_of(me.instance)
    if number is None:
        _leave(me, channel)
        return Kept(), known.space.seats
    own = seat.registration(me, channel.paths, number)
    if own not in known.counting:  # as its address in the internet has changed
        seat.register(me, own)
    if not me.order.has_front and known.counting[0].id == me.instance:
        _keep_address(me, known, channel)
    return look_at_everything(me, known, number, channel, calm=calm), known.space.seats


def _keep_address(me: Myself, known: Others, channel: Channel) -> None:
    """The host of the lowest seat sees to it that the space's address leads to one that is alive: the next that joins
    would take it, and may be minutes away."""
    with asking("asking for the space's address"):
        address = find_address(me.aws, me.order.space, me.order.address)
        if address.holder not in known.alive:
            take_address(me.aws, address.allocation, me.instance)
            channel.event({"event": "changed", "what": "the space's address leads here"})


def _leave(me: Myself, channel: Channel) -> None:
    left = [one.instance for one in report.in_force(channel.paths) if one.port is None]
    if left:
        retire({"instances": left}, channel)
    channel.event({"event": "changed", "what": f"{me.instance} does not count any more"})


def publish(me: Myself, paths: Paths, seen: Seen) -> None:
    """Tell the others what runs here, where that has changed, and remember all of it for the next time."""
    state = report.state(paths, me.instance)
    digest = hashlib.sha256(json.dumps(codec.encode(state), sort_keys=True).encode()).hexdigest()
    if digest != seen.state:
        me.write("state", state)
    seen = replace(seen, state=digest)
    files.write(_file(paths), json.dumps(codec.encode(seen)).encode() + b"\n", 0o600)


def _remembered(paths: Paths) -> Seen | None:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return codec.decode(Seen, json.loads(_file(paths).read_text()))
    return None


def _file(paths: Paths) -> Path:
    return paths.root / "converge.json"
