"""Hosts that come and go: a new one has everything before it counts, one that goes has nothing left to do.

A host that comes is first one that is left out and answers: whatever cuts its making off, the next command brings it up
to date. One that goes is left out while it runs: its dynos serve until others do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from deployer.errors.hosts import FirstHostStays, HostHasDatabases
from deployer.errors.spaces import NoSuchHost
from deployer.model.events import Detail, Doing, Done, Step, Tell
from deployer.model.space import Host
from deployer.operations import phases
from deployer.operations.attendance import NOTICE, attend, take_back
from deployer.operations.change import holding_change
from deployer.operations.converge import converge, lacks_dynos
from deployer.operations.database_hosts import living_on
from deployer.operations.joining import APP_PATIENCE, bring_up_to_date
from deployer.operations.removal import removing
from deployer.operations.roll_call import change_roll, holding_space
from deployer.operations.session import OpenSpace
from deployer.operations.spaces import wait_until_ready
from deployer.remote.agent import Session
from deployer.spaces.sandbox.sandbox import Sandbox


def add(space: OpenSpace, sandbox: Sandbox, tell: Tell) -> Host:
    """Make one more host of a sandbox: prepared, with the layers and routes of every app, on a free seat, known to the
    front. It gets dynos as apps are scaled up or deployed."""
    attend(space, tell)
    made = None
    try:
        with holding_space(space, "add a host"):  # a machine that the ledger does not know is nobody's then
            _remove_unknown(space, sandbox, tell)
            tell(Doing(f"Creating a host of {space.space.name}"))
            made = sandbox.add_host()
            tell(Done(made.id))
            _enter(space, made)
        tell(Step(f"Preparing {made.id}"))
        sandbox.let_in(made.id)
        take_back(space, tell)
        wait_until_ready(made)
    except BaseException:
        if made is not None:
            if any(host.id == made.id for host in space.ledger.hosts()):
                forget(space, made.id)
            sandbox.remove_host(made.id)
        raise
    space.ledger.audit(f"hosts:add {made.id}")
    return made


def _remove_unknown(space: OpenSpace, sandbox: Sandbox, tell: Tell) -> None:
    known = {host.id for host in space.ledger.hosts()}
    for host in sandbox.hosts:
        if host.id not in known:
            tell(Step(f"Removing {host.id}, which was left by a command that was cut off"))
            sandbox.remove_host(host.id)


def register(space: OpenSpace, host: Host) -> None:
    """Write a new host into the ledger, on the lowest free seat, as one that does not count yet; the others let it
    through their firewalls."""
    with holding_space(space, f"add {host.id}"):
        _enter(space, host)


def _enter(space: OpenSpace, host: Host) -> None:
    space.ledger.free_lost_seats()
    seat = space.ledger.take_seat(host.id)
    space.ledger.save_host(replace(host, seat=seat, out=space.space.roll + 1))
    change_roll(space, {})


class Machines(Protocol):
    """Where hosts of a space come from, and go to."""

    @property
    def hosts(self) -> Sequence[Host]:
        """Those that there are, whether the ledger knows them or not."""
        ...

    def remove_host(self, name: str) -> None:
        """Let go of one that the ledger no longer knows."""


def remove(space: OpenSpace, machines: Machines, name: str, tell: Tell) -> None:
    """Move a host's dynos to others, then let it go: out of the firewalls, the ledger, and the machines. One
    that does not answer goes as it is. FirstHostStays, HostHasDatabases, NoSuchHost."""
    if name == space.first.host.id:
        raise FirstHostStays(name, space.space.name)
    known = {host.id: host for host in space.ledger.hosts()}
    if name not in {*known, *(host.id for host in machines.hosts)}:
        raise NoSuchHost(name, space.space.name, ", ".join(sorted(known)))
    host = known.get(name)
    if host and (found := living_on(space.ledger, host)):
        raise HostHasDatabases(name, "\n".join(f"{addon.name} of ⬢ {addon.app}" for addon in found))
    if name in known:  # who removes a host has decided to do without it, should it not answer
        space.absence = replace(space.absence, leave_out=(*space.absence.leave_out, name))
        space.decided.add(name)
    with removing(space, name):
        if name in known:
            attend(space, tell)
            if session := space.session_of(name):
                empty(space, session, tell)
            forget(space, name)
    # It may hold the copy of what is written, the lease's end included: it goes when nothing is written any more.
    space.ledger.audit(f"hosts:remove {name}")
    tell(Step(f"Removing {name}"))
    machines.remove_host(name)


def empty(space: OpenSpace, session: Session, tell: Tell) -> None:
    """Let a host that answers no longer count, and move its dynos; where they find no room it counts again."""
    name = session.host.id
    with _counting_again(space, session, tell):
        with holding_space(space, f"remove {name}"):
            change_roll(space, {name: False}, also=[session], leaving=True)
        time.sleep(NOTICE)
        for app in space.ledger.apps():
            _move(space, session, app.name, tell)


def forget(space: OpenSpace, name: str) -> None:
    """Take a host out of the ledger; its seat is free, and the others' firewalls no longer know it."""
    with holding_space(space, f"remove {name}"):
        for host in space.hosts:
            if host.id == name:
                space.ledger.forget_host(host)
        change_roll(space, {})


@contextmanager
def _counting_again(space: OpenSpace, session: Session, tell: Tell) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with holding_space(space, f"take back {session.host.id}"), bring_up_to_date(space, session, tell):
            change_roll(space, {session.host.id: True}, also=[session])
        raise


def _move(space: OpenSpace, session: Session, app: str, tell: Tell) -> None:
    """Start an app's dynos elsewhere, route to them, and let those on the host finish. Of a process without a port
    never two run at the same time."""
    with holding_change(space, app, "hosts:remove", tell, APP_PATIENCE) as change:
        there = phases.found_on(session, app)
        if there:
            tell(Detail(f"{app}: moving {', '.join(one.dyno.name for one in there)}"))
        phases.retire(change.fence, [one for one in there if one.port is None], drain=0)
        if lacks_dynos(change):
            converge(change)
        phases.retire(change.fence, [one for one in there if one.port is not None])
