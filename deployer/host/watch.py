"""The call `watch`: how new dynos and the requests to them do in the moments after a switch."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from deployer.host import dyno_files, journal, launch, router, systemd
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.systemd import State
from deployer.model.latency import Window, encoded

if TYPE_CHECKING:
    from deployer.host.latency import Reader

LONGEST = 60.0  # seconds of one call
PROPERTIES = ("MainPID", "ActiveState", "SubState", "NRestarts", "ExecMainCode", "ExecMainStatus", "Result")


def watch(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Look for `seconds` at those of `instances` that are here; the first one that ends is told at once. `answered` is
    what the router has counted of `app` at the end, null where it does not run; `took` how long requests took of the
    window that `latency` asks for, null where that cannot be said."""
    began = time.monotonic()
    asked = request.get("latency")
    reader = _reader(request["app"], asked) if asked else None
    named = [launch.check_instance(one) for one in request.get("instances", [])]
    placed = [one for one in (dyno_files.read(channel.paths, instance) for instance in named) if one]
    seconds = min(float(request.get("seconds", 0)), LONGEST)
    fallen = _fallen(placed, max(0.0, seconds - (time.monotonic() - began)))
    answer: dict[str, Any] = {"answered": router.answered(channel.paths, request["app"])}
    if reader:
        answer["took"] = encoded(reader.end())
    if fallen:
        answer["fallen"] = fallen
    if count := int(request.get("lines", 0)):
        answer["lines"] = {one.dyno.name: journal.dyno_lines(one.unit, count) for one in placed}
    return answer


def _reader(app: str, asked: dict[str, float]) -> Reader:
    from deployer.host.latency import Reader  # for one look of many

    return Reader(app, Window(asked["since"], asked["before"]))


def has_fallen(state: State) -> bool:
    """Whether a dyno that once was up has ended since, also where systemd has started it again."""
    return state.get("ActiveState") in ("failed", "inactive") or state.get("NRestarts", "0") != "0" or _restarts(state)


def _restarts(state: State) -> bool:
    return state.get("SubState") == "auto-restart"


def _fallen(placed: Sequence[Placed], seconds: float) -> dict[str, Any] | None:
    """The first dyno that is not what it was, as soon as it is seen."""
    states = _states(placed)
    down = next((one for one in placed if has_fallen(states[one.unit])), None)
    if down is None:
        pids = {int(state.get("MainPID") or 0) for state in states.values()} - {0}
        if not await_an_end(pids, seconds):
            return None
        states = _states(placed)
        down = next((one for one in placed if has_fallen(states[one.unit])), None)
    return _told(down, states[down.unit]) if down else None


def await_an_end(pids: Iterable[int], seconds: float) -> bool:
    """Wait until one of these processes ends, at most so long; whether one did."""
    poll, descriptors = select.poll(), []
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(pid))
                poll.register(descriptors[-1], select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _states(placed: Sequence[Placed]) -> dict[str, State]:
    found = systemd.show([one.unit for one in placed], PROPERTIES)
    return {one.unit: found.get(one.unit, {}) for one in placed}


def _told(placed: Placed, state: State) -> dict[str, Any]:
    """What is said of a dyno that ended; of one that runs again already nobody knows any more how it did."""
    runs = state.get("ActiveState") == "active"
    return {
        "dyno": placed.dyno.name,
        "command": placed.command,
        "status": None if runs else systemd.exit_status(state),
        "result": "" if runs else state.get("Result", ""),
        "lines": journal.dyno_lines(placed.unit, 20),
    }
