"""Who counts in a space: told to its hosts, and written into the ledger, whenever that changes.

The number of the roll is taken first, then the ledger says who is out, then every host that answers is told, and at
last that they were. A command that finds a roll that was taken and not told tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from deployer.model.codec import encode
from deployer.model.roll import Roll
from deployer.model.space import Host
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.store.lease import Held, hold

WAIT = 60.0  # seconds that another change of the same space may take


@contextmanager
def holding_space(space: OpenSpace, command: str) -> Iterator[Held]:
    """Hold the space's lease; what the ledger says of space and hosts is read anew. LeaseHeld."""
    with hold(
        space.ledger.store,
        "space",
        command=command,
        wait=WAIT,
        second_store=space.second_store,
        time_to_live=space.time_to_live,
        renew_every=space.renew_every,
    ) as held:
        space.space = space.ledger.space()
        space.dial()
        yield held


def rolls(number: int, hosts: Sequence[Host]) -> dict[str, Roll]:
    """What each host is told, by its id."""
    out = {host.id: host.out for host in hosts if host.out}
    counting = [host for host in hosts if not host.out]
    return {
        host.id: Roll(number, host.id, tuple(h.private_address for h in counting if h.id != host.id), out)
        for host in hosts
    }


def change_roll(
    space: OpenSpace, changes: Mapping[str, bool], also: Sequence[Session] = (), *, leaving: bool = False
) -> int:
    """Make hosts count or not, by id, and tell everybody who counts then and answers, and `also` those others; the
    roll's number. Those that do not count are `leaving` or come back. Needs the space's lease."""
    number = space.space.roll + 1
    space.space = replace(space.space, roll=number)
    space.ledger.save_space(space.space)
    for host in space.hosts:
        if host.id in changes:
            counts = changes[host.id]
            space.ledger.save_host(replace(host, out=0 if counts else number, leaving=leaving and not counts))
    space.dial()
    tell_roll(space, also)
    return number


def tell_roll(space: OpenSpace, also: Sequence[Session] = ()) -> None:
    """Tell the newest roll to all who count and answer, and `also` to others."""
    sessions = {session.host.id: session for session in (*space.answering, *also)}
    _call(list(sessions.values()), space.space.roll, space.hosts)
    space.space = replace(space.space, called=space.space.roll)
    space.ledger.save_space(space.space)


def tell_first_roll(sessions: Sequence[Session]) -> None:
    """Tell the hosts of a space that is being made of each other: number 1."""
    _call(sessions, 1, [session.host for session in sessions])


def _call(sessions: Sequence[Session], number: int, hosts: Sequence[Host]) -> None:
    told, addresses = rolls(number, hosts), [host.private_address for host in hosts]
    fan_out(
        sessions,
        lambda session: session.call("roll", {"roll": encode(told[session.host.id]), "hosts": addresses}),
    )
