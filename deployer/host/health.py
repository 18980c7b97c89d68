"""Whether a dyno that was just started takes requests: it lives, its port is bound by its own user, HTTP answers."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import dyno_files, journal, sockets, systemd
from deployer.host.dyno_files import Placed
from deployer.host.sockets import Listener

SETTLED = 3.0  # seconds that a process without a port must live
INSISTS = 3.0  # seconds of answers like 500 until they are believed
ASK_AGAIN = 0.25  # seconds between requests: each one is a line in the app's log
WARMING_UP = (502, 503, 504)  # what apps answer while something they need is not there yet: waited for to the end
SETUP_FAILED = range(200, 246)  # exit statuses of systemd itself (systemd.exec(5)): the process never ran
BOOT_TIMEOUT = "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {:g} seconds of launch"


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
        _Watch(started, health, process, abort).run()
    finally:
        process.close()
    return round(time.monotonic() - started.began, 3)


def bound(found: list[Listener], placed: Placed) -> bool:
    """Whether the dyno listens where routers will look for it. Another user's socket on the port is not its."""
    return any(one.port == placed.port and one.uid == placed.uid and not one.is_local for one in found)


def is_final(status: int, age: float) -> bool:
    """Whether an app that has answered so for `age` seconds will not get better."""
    return status >= 500 and status not in WARMING_UP and age > INSISTS


@dataclass(frozen=True, slots=True)
class _Watch:
    started: Started
    health: Health
    process: Process
    abort: Abort

    def run(self) -> None:
        if self.started.placed.port:
            import http.client  # noqa: F401 - 20 ms with ssl and email, which cost nothing while the dyno boots

            self._await_port(self.started.placed.port)
            self._await_answer(self.started.placed.port)
        else:
            self._until(lambda: self._age() > SETTLED, every=0.05)

    def _await_port(self, port: int) -> None:
        placed = self.started.placed
        # Every 5 ms: the time to here is what a deploy of a small change mostly consists of. The kernel's table, which
        # takes a while to read and would take that from the dyno, is for when somebody listens.
        if self._until(lambda: sockets.takes_connections(port) and bound(sockets.listeners(), placed), every=0.005):
            return
        found = [str(one) for one in sockets.of_unit(placed.unit)]
        if not found:
            journal.say(placed.dyno.app, placed.dyno.name, BOOT_TIMEOUT.format(self.health.timeout))
        code = "dyno-bound-elsewhere" if found else "dyno-never-bound"
        raise _failure(code, self.started, port=placed.port, seconds=self.health.timeout, found=found)

    def _await_answer(self, port: int) -> None:
        first, answer = time.monotonic(), "nothing"

        def is_well() -> bool:
            nonlocal answer
            status, answer = _ask(port, self.health, self.health.timeout - self._age())
            if is_final(status, time.monotonic() - first):
                raise _failure("dyno-unhealthy", self.started, path=self.health.path, answer=answer)
            return 0 < status < 500

        if not self._until(is_well, every=ASK_AGAIN):
            raise _failure("dyno-unhealthy", self.started, path=self.health.path, answer=answer)

    def _until(self, condition: Callable[[], bool], *, every: float) -> bool:
        """Poll until `condition` holds; False at the deadline. `dyno-exited` as soon as the process is gone."""
        while not self.abort.is_set():
            if self.process.has_exited():
                raise _exited(self.started)
            if condition():
                return True
            if self._age() > self.health.timeout:
                return False
            self.abort.wait(every)
        return True

    def _age(self) -> float:
        return time.monotonic() - self.started.began


def _ask(port: int, health: Health, remaining: float) -> tuple[int, str]:
    """The status of one GET and what to say of it; 0 where there was no answer."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=max(1.0, remaining))
    headers = {"Host": health.host, "User-Agent": "deployer", "X-Forwarded-For": "127.0.0.1", "Connection": "close"}
    try:
        connection.request("GET", health.path, headers=headers)
        status = connection.getresponse().status
    except TimeoutError:
        return 0, f"nothing within {max(1.0, remaining):.0f} s"
    except (OSError, http.client.HTTPException) as error:
        return 0, f"no HTTP ({type(error).__name__})"
    finally:
        connection.close()
    return status, str(status)


def _exited(started: Started) -> HostFailure:
    unit = started.placed.unit
    # Asked at once: systemd forgets the status when it starts the unit again, a second later.
    state = systemd.show([unit], ["ExecMainCode", "ExecMainStatus", "Result"]).get(unit, {})
    status = systemd.exit_status(state)
    failure = _failure("dyno-exited", started, status=status, result=state.get("Result", ""))
    if status in SETUP_FAILED and not failure.details["lines"]:
        failure.details["lines"] = _helpers_lines(started)
    return failure


def _helpers_lines(started: Started) -> list[str]:
    """Where the dyno never ran because its files could not be mounted: what the helper, or systemd about it, said."""
    return journal.unit_lines(dyno_files.helper_unit(started.placed.instance), 5)


def _failure(code: str, started: Started, **facts: Any) -> HostFailure:
    dyno = started.placed.dyno
    lines = journal.last_lines(started.invocation)
    common = {"app": dyno.app, "dyno": dyno.name, "command": started.placed.command, "lines": lines}
    return HostFailure(code, {**common, **facts})
