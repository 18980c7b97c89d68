"""Whether a dyno that was just started takes requests: it lives, its port is bound by its own user, HTTP answers."""

from __future__ import annotations

import http.client
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import journal, sockets, systemd
from deployer.host.dyno_files import Placed
from deployer.host.sockets import Listener

SETTLED = 3.0  # seconds that a process without a port must live
INSISTS = 3.0  # seconds of answers like 500 until they are believed
WARMING_UP = (502, 503, 504)  # what apps answer while something they need is not there yet: waited for to the end


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked for. `timeout` is in seconds from the start; `host` goes into the Host header."""

    path: str = "/"
    timeout: float = 60.0
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class Started:
    """A dyno whose unit systemd has started. `pid` is 0 where it is gone already; `began` is monotonic, in seconds."""

    placed: Placed
    pid: int
    invocation: str
    began: float


Abort = threading.Event


class Process:
    """One process, by a descriptor that tells of its end and never means another process of the same number."""

    def __init__(self, pid: int) -> None:
        self._poll = select.poll()
        self._descriptor = -1
        try:
            self._descriptor = os.pidfd_open(pid) if pid else -1
            self._poll.register(self._descriptor, select.POLLIN)
        except (ProcessLookupError, ValueError):
            self._descriptor = -1

    def has_exited(self) -> bool:
        """Whether it is gone."""
        return self._descriptor < 0 or bool(self._poll.poll(0))

    def close(self) -> None:
        """Forget it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def watch(started: Started, health: Health, abort: Abort) -> float:
    """Wait until one dyno is healthy; the seconds it took. Otherwise raises `dyno-exited`, `dyno-never-bound`,
    `dyno-bound-elsewhere` or `dyno-unhealthy`. Returns early where `abort` is set: another one failed."""
    process = Process(started.pid)
    try:
        if started.placed.port:
            _await_port(started, health, process, abort)
            _await_answer(started, health, process, abort)
        else:
            _await_settling(started, process, abort)
    finally:
        process.close()
    return round(time.monotonic() - started.began, 3)


def bound(found: list[Listener], placed: Placed) -> bool:
    """Whether the dyno listens where routers will look for it. Another user's socket on the port is not its."""
    return any(one.port == placed.port and one.uid == placed.uid and not one.is_local for one in found)


def _await_port(started: Started, health: Health, process: Process, abort: Abort) -> None:
    placed = started.placed

    def seen() -> bool:
        return bound(sockets.listeners(), placed)

    if _until(seen, started, health.timeout, process, abort):
        return
    found = [str(one) for one in sockets.of_unit(placed.unit)]
    code = "dyno-bound-elsewhere" if found else "dyno-never-bound"
    if not found:
        seconds = f"{health.timeout:g}"
        text = f"Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {seconds} seconds of launch"
        journal.say(placed.dyno.app, placed.dyno.name, text)
    raise _failure(code, started, port=placed.port, seconds=health.timeout, found=found)


def _await_answer(started: Started, health: Health, process: Process, abort: Abort) -> None:
    last: list[int | str] = []
    first = time.monotonic()

    def answered() -> bool:
        last[:] = [_ask(started.placed.port or 0, health, started.began)]
        status = last[0]
        if (
            isinstance(status, int)
            and status >= 500
            and status not in WARMING_UP
            and time.monotonic() > first + INSISTS
        ):
            raise _failure("dyno-unhealthy", started, path=health.path, answer=str(status))
        return isinstance(status, int) and status < 500

    if not _until(answered, started, health.timeout, process, abort):
        answer = str(last[0]) if last else "nothing"
        raise _failure("dyno-unhealthy", started, path=health.path, answer=answer)


def _await_settling(started: Started, process: Process, abort: Abort) -> None:
    _until(lambda: time.monotonic() > started.began + SETTLED, started, SETTLED + 1, process, abort)


def _until(condition: Callable[[], bool], started: Started, timeout: float, process: Process, abort: Abort) -> bool:
    """Poll until `condition` holds; False at the deadline. `dyno-exited` as soon as the process is gone."""
    while not abort.is_set():
        if process.has_exited():
            raise _exited(started)
        if condition():
            return True
        age = time.monotonic() - started.began
        if age > timeout:
            return False
        # Quick at first: the time to here is what a deploy of a small change mostly consists of.
        abort.wait(0.005 if age < 2 else 0.025)
    return True


def _ask(port: int, health: Health, began: float) -> int | str:
    """The status of one GET, or why there was none."""
    remaining = max(1.0, health.timeout - (time.monotonic() - began))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=remaining)
    headers = {
        "Host": health.host,
        "User-Agent": "deployer-health",
        "X-Forwarded-For": "127.0.0.1",
        "Connection": "close",
    }
    try:
        connection.request("GET", health.path, headers=headers)
        return connection.getresponse().status
    except TimeoutError:
        return f"nothing within {remaining:.0f} s"
    except (OSError, http.client.HTTPException) as error:
        return f"no HTTP ({type(error).__name__})"
    finally:
        connection.close()


def _exited(started: Started) -> HostFailure:
    unit = started.placed.unit
    # Asked at once: systemd forgets the status when it starts the unit again, a second later.
    state = systemd.show([unit], ["ExecMainCode", "ExecMainStatus", "Result"]).get(unit, {})
    status = systemd.exit_status(state)
    return _failure("dyno-exited", started, status=status, result=state.get("Result", ""))


def _failure(code: str, started: Started, **facts: Any) -> HostFailure:
    dyno = started.placed.dyno
    lines = journal.last_lines(started.invocation)
    common = {"app": dyno.app, "dyno": dyno.name, "command": started.placed.command, "lines": lines}
    return HostFailure(code, {**common, **facts})
