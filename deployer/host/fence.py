"""Who may change an app on this host: the highest lease token ever seen, and nobody else at the same time.

A laptop that slept through the end of its lease wakes up with an old token: it is refused, and whatever an older
agent still does for the app is ended before a newer command begins.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.epoch import check_epoch
from deployer.host.lock import locked
from deployer.host.paths import AppPaths, Paths
from deployer.model.names import is_app_name

GRACE = 5.0  # seconds an older agent gets to undo what it is in the middle of


@contextmanager
def fenced(request: dict[str, Any], paths: Paths, *, required: bool) -> Iterator[None]:
    """Run a call only if its epoch and its app's token are not behind; `lease-lost`, `old-epoch` or `bad-request`."""
    check_epoch(request, paths)
    if "token" not in request and not required:
        yield
        return
    app, token = app_and_token(request)
    with _at_work(paths.app(app), app, token):
        yield


def read_token(app: AppPaths) -> int:
    """The highest token seen for an app; 0 where there was none."""
    try:
        return int(app.token.read_text() or "0")
    except FileNotFoundError:
        return 0


def app_and_token(request: dict[str, Any]) -> tuple[str, int]:
    """What a fenced request must hold."""
    app, token = request.get("app"), request.get("token")
    if not isinstance(app, str) or not is_app_name(app):
        raise HostFailure("bad-request", {"reason": f"no app is called {app!r}"})
    if not isinstance(token, int):
        raise HostFailure("bad-request", {"reason": f"{token!r} is no lease's token"})
    return app, token


@contextmanager
def _at_work(folder: AppPaths, app: str, token: int) -> Iterator[None]:
    folder.at_work.mkdir(parents=True, exist_ok=True)
    folder.root.chmod(0o700)
    mine = folder.at_work / f"{os.getpid()}.{started(os.getpid())}"
    with locked(folder.token, fcntl.LOCK_EX) as descriptor:
        highest = read_token(folder)
        if token < highest:
            raise HostFailure("lease-lost", {"app": app, "token": token, "highest": highest})
        if token > highest:
            # Of constant length and within one sector: no crash leaves half a number.
            os.pwrite(descriptor, b"%020d\n" % token, 0)
            os.fsync(descriptor)
        mine.write_text(str(token))
        for other in folder.at_work.iterdir():
            _end_if_older(other, token)
    try:
        yield
    finally:
        mine.unlink(missing_ok=True)


def _end_if_older(record: Path, token: int) -> None:
    pid, _, start = record.name.partition(".")
    with suppress(FileNotFoundError):
        if started(int(pid)) != start:
            record.unlink()  # a killed agent's: the process is gone, or its number belongs to another one
        elif int(record.read_text() or token) < token:
            _end(int(pid), start)
            record.unlink(missing_ok=True)


def _end(pid: int, start: str) -> None:
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if started(pid) != start:
                return
            time.sleep(0.01)


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty where there is none, or only its remains."""
    try:
        # The second field is the program's name in parentheses and may itself hold both kinds of them.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
