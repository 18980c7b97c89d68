"""One installation of the agent for all tests of shipping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.remote.agent import Session
from tests.remote.agents_here import session_here


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agent that is installed and compiled."""
    with session_here(tmp_path_factory.mktemp("install")) as session:
        session.install()
        return Path(session.root) / "agent"


@pytest.fixture
def session(tmp_path: Path, agents: Path) -> Iterator[Session]:
    """A session with an agent of a host without anything yet, below tmp_path/host."""
    with session_here(tmp_path / "host", agents) as session:
        yield session
