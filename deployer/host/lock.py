"""The host's lock: whoever changes routes, ports or the firewall holds it for the moment of the change."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployer.host.paths import Paths


@contextmanager
def host_lock(paths: Paths) -> Iterator[None]:
    """Wait for the lock and hold it. The kernel frees it where its holder dies."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def locked(path: Path, kind: int, mode: int) -> Iterator[int]:
    """Wait for the lock (LOCK_EX or LOCK_SH) of a file, made with these permissions where it is not there, and hold it;
    the file's descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)
