"""The call `task`: the release dyno. It runs once per release, whoever asks how often, and outlives its caller.

Its folder `/srv/deployer/tasks/INSTANCE` holds `output`, which systemd makes when the process starts, and `status`,
which a helper writes at its end. Output without status and without a running unit: the host lost the task half-way.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import dyno_files, journal, launch, systemd, units, users
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.launch import Order, Wanted
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.model.dyno import Dyno, parse_instance

KEPT = 20  # tasks of an app whose output stays
ASK_EVERY = 0.25  # seconds between two questions to systemd, each of which takes time from the command that runs
ALIVE = ("active", "activating", "deactivating", "reloading")


@dataclass(frozen=True, slots=True)
class Task:
    """A release dyno and where its traces lie."""

    placed: Placed
    folder: Path

    @property
    def unit(self) -> str:
        """Its own kind of unit: nothing starts it again."""
        return units.TASK.format(self.placed.instance)

    @property
    def output(self) -> Path:
        """What it printed, both streams as they came."""
        return self.folder / "output"

    def status(self) -> int | None:
        """How it ended; None where that is not written (yet)."""
        try:
            return parse_status((self.folder / "status").read_text())
        except FileNotFoundError:
            return None

    def is_running(self) -> bool:
        """Whether its unit still has something to do."""
        return _is_at_work(self.placed.instance)


def task(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run the release dyno to its end, or attach to it; `{status}`. Its lines come as events `output`. `task-lost`
    where it began and nobody knows how it ended."""
    wanted = Wanted(request["type"], request["number"], request["size"], request["command"])
    order = Order(
        request["app"], request["uid"], request["release"], tuple(request["layers"]), (wanted,), request["env"]
    )
    placed = order.placed()[0]
    current = Task(placed, channel.paths.tasks / placed.instance)
    for instance in _others_at_work(channel.paths, current):
        channel.event({"event": "output", "line": f"Waiting for {instance}, a release command that is still at work."})
        _await_end(instance)
    sweep(channel.paths, order.app)
    first = _begin(channel.paths, current, order)
    for line in follow(current):
        channel.event({"event": "output", "line": line})
        if first:
            journal.say(placed.dyno.app, placed.dyno.name, line, source="app")
    status = _end(channel.paths, current)
    if first:
        journal.say(placed.dyno.app, placed.dyno.name, f"Process exited with status {status}")
        journal.say(placed.dyno.app, placed.dyno.name, "State changed from up to complete")
    return {"status": status}


def task_settle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: wait for the release dynos that other commands began and left, and remove what only a running one
    needs."""
    for instance in _at_work(channel.paths, request["app"]):
        _await_end(instance)
    sweep(channel.paths, request["app"])
    return {}


def parse_status(text: str) -> int:
    """`exited 3` or `killed TERM`, systemd's EXIT_CODE and EXIT_STATUS, as a shell's status."""
    how, _, what = text.strip().partition(" ")
    if how == "exited" and what.isdigit():
        return int(what)
    return 128 + getattr(signal, f"SIG{what}", 0) if how in ("killed", "dumped") else 1


def follow(current: Task) -> Iterator[str]:
    """Its output line by line until it has ended."""
    rest, position, asked = b"", 0, 0.0
    while True:
        ended = current.status() is not None
        if not ended and time.monotonic() - asked > ASK_EVERY:
            ended, asked = not current.is_running(), time.monotonic()
        fresh, position = _read_from(current.output, position)
        *lines, rest = (rest + fresh).split(b"\n")
        yield from (line.decode(errors="surrogateescape") for line in lines)
        if ended and not fresh:
            break
        if not fresh:
            time.sleep(0.02)
    if rest:
        yield rest.decode(errors="surrogateescape")


def sweep(paths: Paths, app: str) -> list[str]:
    """Of release dynos that have ended with nobody there to attend them only output and status stay; which they are."""
    own = [one.instance for one in dyno_files.of_app(paths, app) if one.dyno.process_type == "release"]
    ended = [instance for instance in own if not _is_at_work(instance)]
    systemd.stop([units.TASK.format(instance) for instance in ended])
    dyno_files.remove(paths, ended, units.TASK)
    return ended


def _others_at_work(paths: Paths, current: Task) -> list[str]:
    """Release dynos of other releases of the app: an interrupted command leaves its own to come to its end, and two at
    a time could spoil a database."""
    return [name for name in _at_work(paths, current.placed.dyno.app) if name != current.placed.instance]


def _at_work(paths: Paths, app: str) -> list[str]:
    begun = [path.name for path in paths.tasks.glob(f"{app}.*") if not (path / "status").exists()]
    return [name for name in sorted(begun) if _is_at_work(name)]


def _is_at_work(instance: str) -> bool:
    unit = units.TASK.format(instance)
    return systemd.show([unit], ["ActiveState"]).get(unit, {}).get("ActiveState") in ALIVE


def _await_end(instance: str) -> None:
    while _is_at_work(instance):
        time.sleep(0.1)


def end_all(paths: Paths, app: str) -> None:
    """Stop every release dyno and one-off dyno of an app that is being removed."""
    instances = [placed.instance for placed in dyno_files.of_app(paths, app)]
    systemd.stop([kind.format(one) for one in instances for kind in (units.TASK, units.RUN)], launch.ABANDONED)


def _begin(paths: Paths, current: Task, order: Order) -> bool:
    """Start it unless it ever was; whether it was this call that did."""
    with host_lock(paths):
        if current.output.exists() or current.is_running():
            return False
        current.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_old(paths, current.placed.dyno)
        users.ensure(order.uid)
        dyno_files.write(paths, current.placed, order.env, units.TASK)
        launch.announce(current.placed)
        systemd.start([current.unit])
    return True


def _end(paths: Paths, current: Task) -> int:
    """Remove what only a running task needs; its status."""
    status = current.status()
    if status is None and (state := _last_state(current)):
        status = systemd.exit_status(state) or 1  # it never came so far as to run the helper
    systemd.stop([current.unit])
    dyno_files.remove(paths, [current.placed.instance], units.TASK)
    if status is None:
        raise HostFailure("task-lost", {"app": current.placed.dyno.app, "dyno": current.placed.dyno.name})
    return status


def _last_state(current: Task) -> systemd.State | None:
    state = systemd.show([current.unit], ["ActiveState", "ExecMainCode", "ExecMainStatus"])[current.unit]
    return state if state["ActiveState"] == "failed" else None


def _read_from(file: Path, position: int) -> tuple[bytes, int]:
    try:
        with file.open("rb") as opened:
            opened.seek(position)
            fresh = opened.read(1 << 20)
    except FileNotFoundError:
        return b"", position
    return fresh, position + len(fresh)


def _forget_old(paths: Paths, dyno: Dyno) -> None:
    """Keep the output of the last tasks only."""
    ended = [path for path in paths.tasks.glob("*") if (path / "status").exists()]
    own = [path for path in ended if parse_instance(path.name).app == dyno.app]
    for path in sorted(own, key=lambda path: path.stat().st_mtime)[: -KEPT or None]:
        shutil.rmtree(path, ignore_errors=True)
