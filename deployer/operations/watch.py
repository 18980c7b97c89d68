"""The moments after a switch: the new release against the old one, which still runs and takes over again at once where
the new one crashes or fails well above what was usual.

Until the old dynos are retired the change can be taken back. `current` goes back to the old release under a generation
of its own, as every change of routes; the new release has failed. A command that is cut off before that leaves a
committed release, which the next one finishes; cut off after it, the next one brings the rest back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from deployer.errors.deploy import SwitchedBack
from deployer.model.events import Detail, Step, Warn
from deployer.model.felt import baseline, is_worse, seconds_to_watch
from deployer.model.release import Release
from deployer.operations import felt, phases
from deployer.operations.change import Change, heeding_interrupts, uninterrupted
from deployer.operations.converge import converge, switch_to
from deployer.operations.felt import Counts
from deployer.operations.phases import Fallen, Placed, Seen, Survey, Switched
from deployer.operations.session import OpenSpace
from deployer.store.ledger import AppState

SLICE = 0.5  # seconds between two looks
UP = ("up", "starting")
SHOWN = 10  # lines of the log in a message
REASON = "switched back: "  # how the result of such a release begins


@dataclass(frozen=True, slots=True)
class Outset:
    """What there was before a change: the app's dynos, and what the routers had counted."""

    survey: Survey
    counted: Counts


@dataclass(frozen=True, slots=True)
class Launched:
    """A release that has just been switched to, and what it took over from."""

    release: Release
    dynos: Sequence[Placed]
    outset: Outset
    switched: Switched

    @property
    def old(self) -> Sequence[Placed]:
        """The dynos from before."""
        return self.outset.survey.present


def look(space: OpenSpace, app: str) -> Outset:
    """Ask every host what runs and what its router has counted."""
    return Outset(phases.survey(space, app), felt.felt(space, app))


def watch(change: Change, before: AppState, launched: Launched, seconds: float | None) -> None:
    """Look at the new dynos and at what users get from them: for `seconds`, or as long as it is worth. SwitchedBack
    where the old ones have taken over again."""
    if seconds == 0 or not _can_go_back(before, launched):
        return
    with heeding_interrupts() as interrupted:
        reason, lines = _until_judged(change, launched, seconds, interrupted.is_set)
    if interrupted.is_set() and not reason:
        change.tell(Warn(f"Interrupted: {launched.release.name} stays, and is watched no longer."))
    if reason:
        with uninterrupted():
            _switch_back(change, before, launched, reason)
        assert before.current is not None
        raise SwitchedBack(change.app.name, launched.release.number, before.current.release, reason, lines)


def tell_felt(change: Change, launched: Launched) -> None:
    """Say what users felt from the outset until now."""
    switched = launched.switched
    until = felt.since(launched.outset.counted, switched.counted)
    words = felt.told(until + felt.since(switched.base, felt.felt(change.space, change.app.name)))
    if launched.old and words:
        change.tell(Detail(words))


def _can_go_back(before: AppState, launched: Launched) -> bool:
    if before.current is None or before.slug is None or not launched.dynos:
        return False
    return any(old.state in UP for old in launched.old)


def _until_judged(
    change: Change, launched: Launched, seconds: float | None, is_over: Callable[[], bool]
) -> tuple[str, list[str]]:
    """Why to go back, with the last lines of the log; an empty reason where all is well."""
    began, counted = time.monotonic(), launched.switched.counted
    recent = felt.since(launched.outset.counted, counted)
    old = baseline(recent, felt.total(counted))
    for turn in count():
        seen = phases.watch(change.space, change.app.name, launched.dynos, min(SLICE, seconds or SLICE))
        new = felt.since(launched.switched.base, felt.counts((one.host, one.answered) for one in seen))
        age = time.monotonic() - began
        if fallen := _fallen(launched, seen):
            return f"{fallen.how} on {fallen.host} {age:.1f} s after the switch", fallen.lines
        if is_worse(old, new):
            failures = f"{new.failed:,} of {new.requests:,} requests failed, {old.failed:,} of {old.requests:,} before"
            return failures, _last_lines(change, launched)
        limit = seconds or seconds_to_watch(old, new, asked=recent.requests > 0)
        if age >= limit or is_over():
            return "", []
        if turn == 0:
            change.tell(Step(f"Watching {launched.release.name}..."))
    raise AssertionError("it counts for ever")


def _fallen(launched: Launched, seen: Sequence[Seen]) -> Fallen | None:
    """The first new dyno that ended; one that crashed in the old release too proves nothing."""
    crashed_before = {one.dyno.name for one in launched.old if one.state == "crashed"}
    found = (one.fallen for one in seen if one.fallen)
    return next((one for one in found if one.dyno not in crashed_before), None)


def _last_lines(change: Change, launched: Launched) -> list[str]:
    seen = phases.watch(change.space, change.app.name, launched.dynos, 0, lines=SHOWN)
    return [line for one in seen for line in one.lines][-SHOWN:]


def _switch_back(change: Change, before: AppState, launched: Launched, reason: str) -> None:
    """First the users, then everything else: processes without a port, what is left of the new release."""
    assert before.current is not None
    serving = [one for one in launched.old if one.port is not None and one.state in UP]
    switch_to(change, before.current.release, before.app.formation, serving)
    change.space.ledger.end_release(change.app.name, launched.release.number, REASON + reason)
    converge(change)
    change.leave()
