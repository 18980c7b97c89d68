"""One sandbox of real systemd hosts, shared by all tests with the marker `hosts`.

Its folders lie in /var/tmp, apart from pytest's own: those are deleted by age, whatever is mounted there.
Platform images come from the machine's usual cache. What a killed run has left is destroyed by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deployer.build.folders import cache_folder, make
from deployer.model.events import Event
from deployer.model.space import Pointer
from deployer.operations import spaces
from deployer.operations.spaces import Wanted
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox

NAME = "hosts"
PREFIX = "deployer-hosts-"
PLATFORM = os.environ.get("DEPLOYER_TEST_PLATFORM", "debian-13")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """DEPLOYER_HOME and DEPLOYER_DATA in a folder of this session; nothing of it is left at the end."""
    with ExitStack() as stack:
        with _locked(make(cache_folder()) / "hosts-tests.lock"):
            _sweep()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/var/tmp"))
            stack.enter_context(_locked(folder / "lock"))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DEPLOYER_CACHE", str(cache_folder()))
        patch.setenv("DEPLOYER_HOME", str(folder / "home"))
        patch.setenv("DEPLOYER_DATA", str(folder / "data"))
        yield folder
        _destroy(folder)


@pytest.fixture(scope="session")
def space(home: Path) -> Pointer:
    """A space with two hosts, or as many as the environment says, prepared; its front answers at its own port."""
    hosts = int(os.environ.get("DEPLOYER_TEST_HOSTS", "2"))
    spaces.create(Wanted(NAME, PLATFORM, hosts), ignore)
    return pointers.load(NAME)


@pytest.fixture(scope="session")
def sandbox(space: Pointer) -> Sandbox:
    """The sandbox of that space."""
    return spaces.sandbox_of(space.name)


def ignore(event: Event) -> None:
    """A `tell` that hears nothing."""


def _sweep() -> None:
    for folder in Path("/var/tmp").glob(f"{PREFIX}*"):
        with (folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # another session's, at work
            _destroy(folder)


def _destroy(folder: Path) -> None:
    for record in folder.glob("data/sandbox/*/sandbox.json"):
        Sandbox(record.parent).destroy()
    shutil.rmtree(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
