"""One sandbox of real systemd hosts, shared by all tests with the marker `hosts`.

Platform images come from the machine's usual cache. What a killed run has left is destroyed by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.build.folders import cache_folder
from deployer.model.events import Event
from deployer.model.space import Pointer
from deployer.operations import spaces
from deployer.operations.spaces import Wanted
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.sweep import destroy, new_folder

NAME = "hosts"
PLATFORM = os.environ.get("DEPLOYER_TEST_PLATFORM", "debian-13")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """DEPLOYER_HOME and DEPLOYER_DATA in a folder of this session; nothing of it is left at the end."""
    with new_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOYER_CACHE", str(cache_folder()))
        patch.setenv("DEPLOYER_HOME", str(folder / "home"))
        patch.setenv("DEPLOYER_DATA", str(folder / "data"))
        yield folder
        destroy(folder)


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
