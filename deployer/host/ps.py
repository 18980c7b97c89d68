"""The call `ps`: what dynos are on this host and how they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from deployer.host import dyno_files, facts, health, journal_reader, log_lines, sockets, systemd, units
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.journal_reader import OUT_OF_MEMORY, Entry, text
from deployer.host.paths import Paths
from deployer.host.sockets import Listener
from deployer.host.systemd import State

PROPERTIES = (
    "ActiveState",
    "SubState",
    "NRestarts",
    "MemoryCurrent",
    "ActiveEnterTimestampMonotonic",
    "StateChangeTimestampMonotonic",
)
UNKNOWN = 1 << 60  # bytes: systemd says 2^64 - 1 where it does not know


def ps(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The dynos of `app`, or of all: those of formations whatever their state, one-off and release dynos while they
    run. `since` in seconds since 1970, `memory` in bytes or null. Beside them the host's own `memory`, in MiB."""
    placed = [one for one in dyno_files.read_all(channel.paths) if request.get("app") in (None, one.dyno.app)]
    named = {unit_of(one): one for one in placed}
    states = systemd.show(list(named), PROPERTIES)
    found = sockets.listeners()
    rows = [(one, _row(channel.paths, one, states.get(unit, {}), found)) for unit, one in named.items()]
    shown = [row for one, row in rows if _is_of_formation(one) or row["state"] != "down"]
    return {"dynos": shown, "memory": facts.memory()}


def unit_of(placed: Placed) -> str:
    """The unit that runs a dyno: each kind has a template of its own."""
    return {"run": units.RUN, "release": units.TASK}.get(placed.dyno.process_type, units.DYNO).format(placed.instance)


def state_of(state: State, placed: Placed, found: list[Listener], cooling: float) -> str:
    """`starting`, `up`, `crashed` or `down`. `cooling` is how many seconds the launcher still waits after crashes."""
    active = state.get("ActiveState", "inactive")
    if active == "failed" or state.get("SubState") == "auto-restart":
        return "crashed"
    if active in ("inactive", "deactivating"):
        return "down"
    if cooling > 0:
        return "crashed"
    if active == "activating" or (placed.port and not health.bound(found, placed)):
        return "starting"
    return "up"


def reason(ends: Sequence[Entry]) -> str | None:
    """Why a dyno crashed, in a word or two; None where systemd said nothing, as of an exit with status 0."""
    if any(text(entry, "MESSAGE_ID") == OUT_OF_MEMORY for entry in ends):
        return "out of memory"
    if not ends:
        return None
    return f"exit status {log_lines.exit_status(text(ends[-1], 'EXIT_CODE'), text(ends[-1], 'EXIT_STATUS'))}"


def _row(paths: Paths, placed: Placed, state: State, found: list[Listener]) -> dict[str, Any]:
    dyno = placed.dyno
    waits = dyno_files.cooling_until(paths, placed.instance) - time.clock_gettime(time.CLOCK_BOOTTIME)
    status = state_of(state, placed, found, waits)
    stamp = "ActiveEnterTimestampMonotonic" if status in ("up", "starting") else "StateChangeTimestampMonotonic"
    memory = state.get("MemoryCurrent", "")
    return {
        "app": dyno.app,
        "type": dyno.process_type,
        "number": dyno.number,
        "release": dyno.release,
        "instance": placed.instance,
        "state": status,
        "since": systemd.since(state, stamp),
        "size": placed.size,
        "port": placed.port,
        "restarts": int(state.get("NRestarts") or 0),
        "memory": int(memory) if memory.isdigit() and int(memory) < UNKNOWN else None,
        "command": placed.command,
        "reason": reason(journal_reader.last_ends(unit_of(placed))) if status == "crashed" else None,
    }


def _is_of_formation(placed: Placed) -> bool:
    return placed.dyno.process_type not in ("run", "release")
