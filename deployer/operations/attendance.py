"""Before a change: every host that counts answers, or is left out by somebody's decision; one that answers again is
brought up to date and counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from deployer.errors.base import Failure
from deployer.errors.hosts import RollChanged
from deployer.errors.lease import LeaseHeld
from deployer.errors.remote import HostUnreachable
from deployer.model.events import Tell, Warn
from deployer.operations.joining import bring_up_to_date, fill_up
from deployer.operations.removal import keep_those_not_removed
from deployer.operations.roll_call import change_roll, holding_space, tell_roll
from deployer.operations.session import Missing, OpenSpace, failure_of, names
from deployer.store.ledger import AppState

LOOK_EVERY = 1.0  # seconds
WHEN_TOLD_TO_WAIT = 600.0  # seconds
NOTICE = 4.0  # seconds until a host that is left out has asked the others, and the front has asked it


def attend(
    space: OpenSpace,
    tell: Tell,
    but: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Have every host that counts answer, wait for it or leave it out as `space.absence` says, before anything is
    changed; HostsDoNotAnswer otherwise. Dynos of left-out hosts start on others, except those of the app `but`: its own
    change does that."""
    space.check_tool()
    deadline = time.monotonic() + (space.absence.wait or 0)
    told = False
    while missing := space.missing:
        choice = _choice(space, missing, deadline)
        if choice == "leave out":
            leave_out(space, missing, tell, but, pause)
            return
        if choice == "wait":
            deadline = max(deadline, time.monotonic() + WHEN_TOLD_TO_WAIT)
        if not told:
            tell(Warn(f"Waiting for {names(missing)} to answer"))
            told = True
        pause(LOOK_EVERY)
        space.dial()
    _mind_the_others(space, tell)


def _choice(space: OpenSpace, missing: Sequence[Missing], deadline: float) -> str:
    undecided = [one for one in missing if one.host.id not in space.absence.leave_out]
    if not undecided:
        return "leave out"
    for one in undecided:
        if not isinstance(one.failure, HostUnreachable):  # it answers, and is not to be trusted or does not trust us
            raise one.failure
    if time.monotonic() < deadline:
        return "go on waiting"
    choice = space.absence.ask(undecided) if space.absence.ask else "abort"
    if choice == "abort":
        raise failure_of(undecided)
    return choice


def leave_out(
    space: OpenSpace, missing: Sequence[Missing], tell: Tell, but: str | None, pause: Callable[[float], None]
) -> None:
    """Let hosts that do not answer no longer count: the others are told, the front is given time to notice, and what
    ran on them starts elsewhere."""
    space.decided |= {one.host.id for one in missing}
    with holding_space(space, "leave out " + names(missing)):
        gone = [one for one in space.missing if one.host.id in {m.host.id for m in missing}]
        change_roll(space, {one.host.id: False for one in gone})
    for one in gone:
        tell(
            Warn(
                f"{one.host.id} is left out: its router tells the front to send it nothing, and the next command that "
                "reaches it brings it up to date"
            )
        )
    if gone:
        pause(NOTICE)
        fill_up(space, tell, but)


def _mind_the_others(space: OpenSpace, tell: Tell) -> None:
    """Those that are left out: who answers again counts again; who does not is named."""
    out = [host.id for host in space.hosts if host.out]
    untold = space.space.roll != space.space.called or (len(space.hosts) > 1 and not space.space.roll)
    if out or untold:
        keep_those_not_removed(space, tell)
        if space.space.kind == "sandbox":
            _show_to_front(space.space.name, [session.host.id for session in space.returning], tell)
        take_back(space, tell)
        still = [host.id for host in space.hosts if host.out and not host.leaving]
        if still:
            tell(Warn(f"Going on without {', '.join(still)}, which {'are' if len(still) > 1 else 'is'} left out"))


def _show_to_front(space: str, hosts: Sequence[str], tell: Tell) -> None:
    """Where `hosts:add` was cut off, the front does not know its host yet. That it learns before the host counts:
    afterwards nobody looks."""
    from deployer.operations.spaces import sandbox_of

    for host in hosts:
        try:
            sandbox_of(space).let_in(host)
        except (Failure, OSError):
            tell(Warn(f"The front may not know {host} yet: `deployer spaces:start {space}` tells it"))


def take_back(space: OpenSpace, tell: Tell) -> None:
    """Bring every host that is left out and answers up to date, and let it count."""
    try:
        with holding_space(space, "take back hosts"):
            if not space.space.roll:  # an older deployer made this space
                change_roll(space, {})
            elif space.space.roll != space.space.called:
                tell_roll(space)
            for session in space.returning:
                with bring_up_to_date(space, session, tell):
                    change_roll(space, {session.host.id: True}, also=[session])
                tell(Warn(f"{session.host.id} answers again: it is up to date and counts"))
    except LeaseHeld as held:
        tell(Warn(f"A host that was left out answers again, but has to wait: {held.paragraphs()[0]}"))


def check_unchanged(space: OpenSpace, state: AppState) -> None:
    """RollChanged where, when this state was read, hosts had come, gone, been left out or taken back since this command
    looked at them."""
    if state.roll != space.space.roll:
        raise RollChanged(space.space.name)
