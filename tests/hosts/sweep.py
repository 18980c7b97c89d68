"""What runs of tests leave of their sandboxes when they are killed, and how the next one finds it.

Their folders lie in /var/tmp, apart from pytest's own: those are deleted by age, whatever is mounted there.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployer.build.folders import cache_folder, make
from deployer.spaces.sandbox import traces
from deployer.spaces.sandbox.process import Process
from deployer.spaces.sandbox.sandbox import Sandbox

PREFIX = "deployer-hosts-"
PATIENCE = 5.0  # seconds that a database gets to end


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else begins meanwhile; what killed runs have left is destroyed."""
    with locked(make(cache_folder()) / "hosts-tests.lock"):
        sweep()
        yield


def new_folder() -> Path:
    """One of a run, which is at work as long as it holds `lock` in there."""
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir="/var/tmp"))


def sweep() -> None:
    """Destroy what killed runs have left."""
    for folder in Path("/var/tmp").glob(f"{PREFIX}*"):
        with (folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # another session's, at work
            destroy(folder)


def destroy(folder: Path) -> None:
    """All sandboxes of a run, the databases of a box, and its folder."""
    for process in folder.glob("data/sandbox/*/rds/*/process.json"):
        Process(process, process.with_name("log")).stop(PATIENCE)
    for record in folder.glob("data/sandbox/*/sandbox.json"):
        Sandbox(record.parent).destroy()
        traces.remove(record.parent)
    shutil.rmtree(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
