"""A space of fifty hosts: real agents below folders of the test's, over pipes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.errors.remote import HostUnreachable
from deployer.model.space import Host, Space
from deployer.operations import phases
from deployer.operations.phases import Fence
from deployer.operations.roll_call import rolls
from deployer.operations.session import MOST_AT_ONCE, OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from deployer.ship.ship import ship
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from tests.remote.agents_here import HereConnection, session_here
from tests.ship.slugs import built, layer

COUNT = 50
PATIENCE = 60  # seconds; nothing here depends on how fast a machine is
SPACE = Space("big", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", "1", roll=1, called=1)


@dataclass
class Machines:
    """The hosts, and who was dialled when. `slow` answers only when all others have, `dead` never."""

    folder: Path
    agents: Path
    slow: str = ""
    dead: str = ""
    dialled: list[str] = field(default_factory=list)
    most: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _others: threading.Event = field(default_factory=threading.Event)

    def dial(self, host: Host) -> Session:
        with self._lock:
            self._busy += 1
            self.most = max(self.most, self._busy)
        try:
            if host.id == self.dead:
                raise HostUnreachable(host.id, host.address, 22, "No route to host")
            if host.id == self.slow:
                assert self._others.wait(PATIENCE), "the others wait for the slow one"
            return session_here(self.folder / host.id, self.agents, host)
        finally:
            with self._lock:
                self._busy -= 1
                self.dialled.append(host.id)
                if len(set(self.dialled) | {self.slow}) == COUNT:
                    self._others.set()


def a_host(number: int) -> Host:
    return Host(f"h{number}", number, "127.0.0.1", f"10.0.0.{number}", "none")


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with session_here(tmp_path_factory.mktemp("install")) as session:
        session.install()
        return Path(session.root) / "agent"


@pytest.fixture
def machines(tmp_path: Path, agents: Path) -> Machines:
    return Machines(tmp_path, agents)


@pytest.fixture
def space(machines: Machines, tmp_path: Path) -> Iterator[OpenSpace]:
    ledger = Ledger(FolderStore(tmp_path / "store"), "test")
    ledger.save_space(SPACE)
    for number in range(1, COUNT + 1):
        ledger.save_host(a_host(number))
    with ExitStack() as stack:
        opened = OpenSpace(SPACE, ledger, None, machines.dial)
        stack.callback(opened.close)
        yield opened


def test_no_more_than_a_few_are_dialled_at_once_and_a_slow_one_holds_up_nobody(
    space: OpenSpace, machines: Machines
) -> None:
    machines.slow = "h7"
    assert [session.host.seat for session in space.sessions] == list(range(1, COUNT + 1))
    assert machines.most <= MOST_AT_ONCE
    assert sorted(machines.dialled) == sorted(f"h{n}" for n in range(1, COUNT + 1)), "each once"


def test_one_that_does_not_answer_is_told_apart_from_the_others(space: OpenSpace, machines: Machines) -> None:
    machines.dead = "h9"
    assert [missing.host.id for missing in space.missing] == ["h9"]
    assert len(space.answering) == COUNT - 1
    machines.dead = ""
    space.dial()
    assert (space.missing, len(space.answering)) == ((), COUNT)
    assert machines.dialled.count("h1") == 1, "who has answered is not dialled again"


def test_work_on_a_slow_host_delays_no_other_ones(space: OpenSpace) -> None:
    finished: list[str] = []
    all_but_one = threading.Event()

    def work(session: Session) -> str:
        if session.host.id == "h3":
            assert all_but_one.wait(PATIENCE)
        finished.append(session.host.id)
        if len(finished) == COUNT - 1:
            all_but_one.set()
        return session.host.id

    assert fan_out(space.sessions, work) == [f"h{n}" for n in range(1, COUNT + 1)]
    assert finished[-1] == "h3"


def test_everybody_is_told_of_everybody() -> None:
    hosts = [a_host(number) for number in range(1, COUNT + 1)]
    told = rolls(3, hosts)
    assert set(told) == {host.id for host in hosts}
    for host in hosts:
        assert told[host.id].host == host.id
        assert set(told[host.id].peers) == {other.private_address for other in hosts} - {host.private_address}


@pytest.mark.edge
@pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")
def test_a_slug_goes_to_fifty_hosts_over_one_connection_and_one_agent_each(space: OpenSpace, tmp_path: Path) -> None:
    made = built(layer(tmp_path / "build", "app", {"web.sh": os.urandom(50_000), "data": b"x" * 1000}))
    fence = Fence("shop", 1, 1)
    assert ship(space.sessions, "shop", 20007, 1, made, None, epoch=1).blobs == 2
    assert ship(space.sessions, "shop", 20007, 1, made, None, epoch=1).blobs == 0
    phases.prune(space, fence, [one.digest for one in made.slug.layers])
    assert {session.call("facts")["tokens"]["shop"] for session in space.sessions} == {1}
    for session in space.sessions:
        assert isinstance(session.connection, HereConnection)
        assert len(session.connection.pipes) == 1, "one agent for all calls of a command"
        assert (tmp_path / session.host.id / "apps/shop/layers" / made.slug.layers[0].digest).is_dir()
