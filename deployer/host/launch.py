"""Start dynos beside what runs, and take dynos down: what `boot`, `replace`, `retire` and `remove` have in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import dyno_files, health, journal, memory, ports, systemd, units, users, walls
from deployer.host.dyno_files import Placed
from deployer.host.health import Health, Started
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.model import codec
from deployer.model.dyno import Dyno, parse_instance

IDENTITY = ("MainPID", "InvocationID", "NeedDaemonReload")
ABANDONED = 5.0  # seconds that a dyno which never served gets after SIGTERM

Tell = Callable[[str, str], None]
"""Told of a dyno's name and its new state."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One dyno of a request."""

    type: str
    number: int
    size: str
    command: str
    port: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A request for dynos of one release."""

    app: str
    uid: int
    release: int
    layers: tuple[str, ...]
    dynos: tuple[Wanted, ...]
    env: dict[str, str] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    def placed(self) -> list[Placed]:
        """The dynos, still without ports; `bad-request` where a name could lead elsewhere."""
        return [self._placed(one) for one in self.dynos]

    def ports(self) -> list[bool]:
        """Which of them want a port."""
        return [one.port for one in self.dynos]

    def _placed(self, one: Wanted) -> Placed:
        dyno = Dyno(self.app, one.type, one.number, self.release)
        check_instance(dyno.instance)
        return Placed(dyno, self.uid, one.size, one.command, self.layers)


def parse(request: dict[str, Any]) -> Order:
    """The order of a request; `bad-request` where it is none."""
    try:
        return codec.decode(Order, request)
    except (TypeError, ValueError) as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error


def check_instance(instance: str) -> str:
    """The name, if it is an instance's; `bad-request` otherwise: it becomes part of paths and unit names."""
    try:
        parse_instance(instance)
    except (TypeError, ValueError):
        raise HostFailure("bad-request", {"reason": f"{instance!r} is no dyno's instance"}) from None
    return instance


def launch(paths: Paths, order: Order) -> list[Started]:
    """Give each dyno its files and its port and start all at once. They may still fail: see `await_health`. One that
    a switch has put in force before is left as it is, if it runs: whoever repeats an order must not interrupt what
    serves."""
    serving = [one for one in (dyno_files.read(paths, name) for name in in_force(paths, order)) if one]
    names = {one.instance for one in serving}
    wanted = [(one, has) for one, has in zip(order.placed(), order.ports(), strict=True) if one.instance not in names]
    if not wanted:
        return rouse(paths, serving)
    memory.check(paths, [one for one, _ in wanted])
    users.ensure(order.uid)
    take_down(paths, [one.instance for one, _ in wanted], ABANDONED)
    placed = lay_out(paths, wanted, order.env)
    for one in placed:
        announce(one)
    return start(placed) + rouse(paths, serving)


def abandon(paths: Paths, order: Order) -> None:
    """Take down what an order that failed has started, but nothing that serves."""
    serving = set(in_force(paths, order))
    take_down(paths, [one.instance for one in order.placed() if one.instance not in serving], ABANDONED)


def in_force(paths: Paths, order: Order) -> list[str]:
    """Which dynos of an order a switch has put in force: those that start at the host's boot."""
    folder = paths.units / "multi-user.target.wants"
    return [one.instance for one in order.placed() if (folder / one.unit).is_symlink()]


def announce(placed: Placed) -> None:
    """The line in the app's log before a start."""
    journal.say(placed.dyno.app, placed.dyno.name, f"Starting process with command `{placed.command}`")


def lay_out(paths: Paths, wanted: Sequence[tuple[Placed, bool]], env: Mapping[str, str]) -> list[Placed]:
    """Files, ports and firewall of new dynos, each with whether it wants a port; the dynos with their ports."""
    with host_lock(paths):
        used = {one.port for one in dyno_files.read_all(paths) if one.port}
        free = iter(ports.allocate(paths, used, sum(has for _, has in wanted)))
        placed = [replace(one, port=next(free) if has else None) for one, has in wanted]
        for one in placed:
            dyno_files.write(paths, one, env)
        walls.open_ports(paths, _own(placed))
    return placed


def start(placed: Sequence[Placed]) -> list[Started]:
    """Start the units of dynos whose files lie there, and say which processes these are."""
    names = [one.unit for one in placed]
    began = time.monotonic()
    systemd.start(names)
    states = systemd.show(names, IDENTITY)
    if any(state.get("NeedDaemonReload") == "yes" for state in states.values()):
        # systemd still had a unit of this name in memory, with the settings of its last time.
        systemd.reload()
        systemd.restart(names)
        states = systemd.show(names, IDENTITY)
    return [_started(one, states.get(one.unit, {}), began) for one in placed]


def rouse(paths: Paths, placed: Sequence[Placed]) -> list[Started]:
    """Start those of the dynos that were stopped, as by a command that was cut off before it put others in their place;
    which processes they all are."""
    states = systemd.show([one.unit for one in placed], ["ActiveState"])
    asleep = [one for one in placed if states.get(one.unit, {}).get("ActiveState") in ("inactive", "failed", None)]
    dyno_files.forget_crashes(paths, [one.instance for one in asleep])
    for one in asleep:
        announce(one)
    started = start(asleep) if asleep else []
    return started + identify([one for one in placed if one not in asleep])


def identify(placed: Sequence[Placed]) -> list[Started]:
    """Which processes dynos are that run already."""
    states = systemd.show([one.unit for one in placed], IDENTITY)
    return [_started(one, states.get(one.unit, {}), time.monotonic()) for one in placed]


def await_health(started: Sequence[Started], wanted: Health, tell: Tell) -> dict[str, float]:
    """Wait until all are healthy; seconds by dyno. The first failure ends the waiting and is raised."""
    abort, seconds = threading.Event(), {}
    pool = ThreadPoolExecutor(max(1, len(started)))
    watched = {pool.submit(health.watch, one, wanted, abort): one.placed.dyno for one in started}
    for dyno in watched.values():
        tell(dyno.name, "starting")
    try:
        for done in as_completed(watched):
            seconds[watched[done].name] = _outcome(done, watched[done], tell)
    finally:
        abort.set()
        pool.shutdown(wait=False)
    return seconds


def take_down(paths: Paths, instances: Iterable[str], grace: float | None = None) -> None:
    """Stop dynos and remove all that is of them on this host. Those that are not there are no error. With `grace`
    (seconds until SIGKILL) they are such that never served, of which the log has said all."""
    names = [instance for instance in instances if paths.dyno(instance).exists()]
    found = [one for one in (dyno_files.read(paths, name) for name in names) if one]
    if not names:
        return
    if grace is None:
        stop(found)
    else:
        systemd.stop(_with_helpers(names), grace)
    with host_lock(paths):
        walls.close_ports(paths, _own(found))
        dyno_files.remove(paths, names)


def stop(placed: Sequence[Placed]) -> None:
    """Stop dynos, with the lines in the app's log that Heroku writes."""
    names = [one.unit for one in placed]
    states = systemd.show(names, ["ActiveState"])
    running = [one for one in placed if states.get(one.unit, {}).get("ActiveState") == "active"]
    for one in running:
        journal.say(one.dyno.app, one.dyno.name, "Stopping all processes with SIGTERM")
    systemd.stop(_with_helpers([one.instance for one in placed]))
    for one in running:
        journal.say(one.dyno.app, one.dyno.name, "State changed from up to down")


def _own(placed: Sequence[Placed]) -> list[tuple[int, int]]:
    return [(one.uid, one.port) for one in placed if one.port]


def _with_helpers(instances: Sequence[str]) -> list[str]:
    """The units of dynos and those of their files. The latter would go by themselves, but a little later."""
    return [template.format(name) for name in instances for template in (units.DYNO, units.DYNO_FS)]


def _started(placed: Placed, state: systemd.State, began: float) -> Started:
    return Started(placed, int(state.get("MainPID") or 0), state.get("InvocationID", ""), began)


def _outcome(done: Future[float], dyno: Dyno, tell: Tell) -> float:
    failed = done.exception() is not None
    state = "crashed" if failed else "up"
    tell(dyno.name, state)
    journal.say(dyno.app, dyno.name, f"State changed from starting to {state}")
    return done.result()
