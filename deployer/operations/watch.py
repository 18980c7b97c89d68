"""The moments after a switch: the new release against the old one, which still runs and takes over again at once where
the new one crashes or fails well above what was usual.

Until the old dynos are retired the change can be taken back. `current` goes back to the old release under a generation
of its own, as every change of routes; the new release has failed. A command that is cut off before that leaves a
committed release, which the next one finishes; cut off after it, the next one brings the rest back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from operator import add

from deployer.errors.deploy import SwitchedBack
from deployer.model.events import Detail, Step, Warn
from deployer.model.felt import Felt, Stayed, baseline, is_worse, seconds_to_watch
from deployer.model.latency import Took, Window
from deployer.model.release import Release
from deployer.operations import felt, phases
from deployer.operations.change import Change, heeding_interrupts, uninterrupted
from deployer.operations.converge import converge, switch_to
from deployer.operations.felt import Counts
from deployer.operations.phases import Fallen, Placed, Seen, Survey, Switched
from deployer.operations.session import OpenSpace
from deployer.store.ledger import AppState

SLICE = 0.5  # seconds between two looks
LOOK = 1.2  # of a slice's time, at most, until it is known what was seen
BEFORE = 60.0  # seconds before the new dynos boot with which the requests since are compared
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
    """A release that has just been switched to, and what it took over from; `began` is when its dynos began to boot."""

    release: Release
    dynos: Sequence[Placed]
    outset: Outset
    switched: Switched
    began: float

    @property
    def old(self) -> Sequence[Placed]:
        """The dynos from before."""
        return self.outset.survey.present


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why to go back, with the last lines of the log; an empty reason where all is well. How long requests took, where
    that is known."""

    reason: str = ""
    lines: list[str] = field(default_factory=list)
    took: Took | None = None


def look(space: OpenSpace, app: str) -> Outset:
    """Ask every host what runs and what its router has counted."""
    return Outset(phases.survey(space, app), felt.felt(space, app))


def watch(change: Change, before: AppState, launched: Launched, seconds: float | None) -> Took | None:
    """Look at the new dynos and at what users get from them: for `seconds`, or as long as it is worth. How long
    requests took, where that is known; SwitchedBack where the old ones have taken over again."""
    if seconds == 0 or not _can_go_back(before, launched):
        return None
    with heeding_interrupts() as interrupted:
        verdict = _until_judged(change, launched, seconds, interrupted.is_set)
    if interrupted.is_set() and not verdict.reason:
        change.tell(Warn(f"Interrupted: {launched.release.name} stays, and is watched no longer."))
    if verdict.reason:
        with uninterrupted():
            _switch_back(change, before, launched, verdict.reason)
        assert before.current is not None
        number = launched.release.number
        raise SwitchedBack(change.app.name, number, before.current.release, verdict.reason, verdict.lines)
    return verdict.took


def tell_felt(change: Change, launched: Launched, took: Took | None, stayed: Stayed) -> None:
    """Say what users felt from the outset until now."""
    switched = launched.switched
    until = felt.since(launched.outset.counted, switched.counted)
    during = until + felt.since(switched.base, felt.felt(change.space, change.app.name))
    if launched.old:
        for words in felt.told(during, took, stayed):
            change.tell(Detail(words))


def _can_go_back(before: AppState, launched: Launched) -> bool:
    if before.current is None or before.slug is None or not launched.dynos:
        return False
    return any(old.state in UP for old in launched.old)


def _until_judged(change: Change, launched: Launched, seconds: float | None, is_over: Callable[[], bool]) -> Verdict:
    """Look until enough was seen."""
    began, counted, length = time.monotonic(), launched.switched.counted, min(SLICE, seconds or SLICE)
    recent, new = felt.since(launched.outset.counted, counted), Felt()
    old = baseline(recent, felt.total(counted))
    for turn in count():
        limit = seconds or seconds_to_watch(old, new, asked=recent.requests > 0)
        is_last = time.monotonic() - began + length * LOOK >= limit
        window = _window(launched) if is_last and recent.requests + new.requests else None
        seen = phases.watch(change.space, change.app.name, launched.dynos, length, latency=window)
        new = felt.since(launched.switched.base, felt.counts((one.host, one.answered) for one in seen))
        age = time.monotonic() - began
        if fallen := _fallen(launched, seen):
            return Verdict(f"{fallen.how} on {fallen.host} {age:.1f} s after the switch", fallen.lines)
        if is_worse(old, new):
            failures = f"{new.failed:,} of {new.requests:,} requests failed, {old.failed:,} of {old.requests:,} before"
            return Verdict(failures, _last_lines(change, launched))
        if age >= (seconds or seconds_to_watch(old, new, asked=recent.requests > 0)) or is_over():
            return Verdict(took=_took(seen))
        if turn == 0:
            change.tell(Step(f"Watching {launched.release.name}..."))
    raise AssertionError("it counts for ever")


def _window(launched: Launched) -> Window:
    """Which requests are looked at: since the new dynos began to boot, and those before."""
    return Window(time.monotonic() - launched.began, BEFORE)


def _took(seen: Sequence[Seen]) -> Took | None:
    """How long requests took, on all routers; None where one of them cannot say."""
    known = [one.took for one in seen if one.took]
    return reduce(add, known) if len(known) == len(seen) > 0 else None


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
