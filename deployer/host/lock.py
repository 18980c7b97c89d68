"""The host's lock: whoever changes routes, ports or the firewall holds it for the moment of the change."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from deployer.host.paths import Paths


@contextmanager
def host_lock(paths: Paths) -> Iterator[None]:
    """Wait for the lock and hold it. The kernel frees it where its holder dies."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
