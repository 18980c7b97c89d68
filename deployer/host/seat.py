"""The seat of a host of AWS, and its registration."""

from __future__ import annotations

from contextlib import suppress

from deployer.errors.base import HostFailure
from deployer.host import myself
from deployer.host.aws import Refused
from deployer.host.ledger_store import asking
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.model.membership import seat_for
from deployer.model.space import Host
from deployer.store import keys, record
from deployer.store.base import Lost, Put
from deployer.store.entries import Claim

NOBODY = Claim("")  # a host may write a seat, and delete nothing
HOST_KEY = "etc/ssh/ssh_host_ed25519_key.pub"


def take(me: Myself) -> int:
    """Claim the seat that is this host's, the lowest free one, or the lowest whose owner is not alive, by a write that
    one host alone can win; `no-seat` where all are taken."""
    while True:
        known = myself.others(me)
        number = seat_for(me.instance, known.seats, known.space.seats, known.alive)
        if number is None:
            taken = ", ".join(f"{seat}: {owner}" for seat, owner in sorted(known.seats.items()))
            raise HostFailure("no-seat", {"most": known.space.seats, "reason": f"All seats are taken. {taken}"})
        if known.seats.get(number) == me.instance:
            return number
        etag = known.etags.get(number)
        claim = Put(keys.seat(number), record.dump(Claim(me.instance)), if_absent=etag is None, if_match=etag)
        with suppress(Lost):
            record.put(me.store, claim)
            return number


def give_up(me: Myself, known: Others) -> None:
    """Leave the own seat to others, who take that as the sign to look who there is. One that somebody else has taken
    meanwhile is theirs."""
    for number in [number for number, owner in known.seats.items() if owner == me.instance]:
        with suppress(Lost):
            record.put(me.store, Put(keys.seat(number), record.dump(NOBODY), if_match=known.etags[number]))


def registration(me: Myself, paths: Paths, seat: int) -> Host:
    """This host, as others need to know it."""
    key = " ".join((paths.system / HOST_KEY).read_text().split()[:2])
    with asking("asking for this host's addresses"):
        return Host(me.instance, seat, _public(me), me.metadata.private_address(), key)


def register(me: Myself, host: Host) -> None:
    """Write it into the store."""
    me.store.batch([Put(keys.host(me.user_id), record.dump(host))])


def _public(me: Myself) -> str:
    """The address in the internet, empty where there is none."""
    try:
        return me.metadata.read("meta-data/public-ipv4")
    except Refused as refused:
        if refused.status != 404:
            raise
        return ""
