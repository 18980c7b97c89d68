"""One installation of the agent, and one sshd, for all tests of the transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.remote.agent import Session
from tests.remote.agents_here import Sshd, session_here, sshd


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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd on loopback."""
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server
