"""The host's lock: whoever changes routes, ports or the firewall holds it for the moment of the change."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deployer.host.paths import Paths

PRIVATE = 0o600


@contextmanager
def host_lock(paths: Paths) -> Iterator[None]:
    """Wait for the lock and hold it. The kernel frees it where its holder dies."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with locked(paths.lock, fcntl.LOCK_EX):
        yield


@contextmanager
def locked(path: Path, kind: int, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Wait for the lock (LOCK_EX or LOCK_SH) of a file, made where it is not there, and hold it; the file's descriptor.
    `waiting` is called where somebody else holds it."""
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def tried(path: Path) -> Iterator[bool]:
    """Hold the lock of a file where nobody else does; whether it is held."""
    with ExitStack() as stack:
        is_held = True
        try:
            stack.enter_context(locked(path, fcntl.LOCK_EX, _give_up))
        except BlockingIOError:
            is_held = False
        yield is_held


def _give_up() -> None:
    raise BlockingIOError


def _opened(path: Path) -> int:
    """Whoever may read a file may lock it, and make all wait: only root does. Older agents left some to everybody."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    if os.fstat(descriptor).st_mode & 0o777 != PRIVATE:
        os.fchmod(descriptor, PRIVATE)
    return descriptor
