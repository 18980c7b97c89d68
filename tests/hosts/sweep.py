"""What runs of tests leave of their sandboxes when they are killed, and how the next one finds it.

Their folders lie in /var/tmp, apart from pytest's own: those are deleted by age, whatever is mounted there.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def new_folder() -> Iterator[Path]:
    """One of a run, which nobody sweeps meanwhile."""
    with ExitStack() as stack:
        with alone():
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/var/tmp"))
            stack.enter_context(locked(folder / "lock"))
        yield folder


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
    _unmount(folder)
    shutil.rmtree(folder)


def _unmount(folder: Path) -> None:
    """What is mounted below it, the innermost first: a platform image would go with it, the caches' own."""
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((one for one in places if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", place], check=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
