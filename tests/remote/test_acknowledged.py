"""Writes that two hosts must hold, over real agents below folders of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deployer.errors.host import OldEpoch
from deployer.errors.store import NoCopy, StoreAlone
from deployer.operations.copies import newest_copy, promote
from deployer.remote.acknowledged import AcknowledgedStore
from deployer.remote.agent import Session
from deployer.store.base import List, Lost, Put
from deployer.store.folder import FolderStore
from tests.remote.agents_here import HERE, session_here

pytestmark = pytest.mark.edge


@dataclass
class Hosts:
    """Sessions with hosts that are folders; `dialled` counts how often others were asked for."""

    folder: Path
    sessions: list[Session]
    dialled: int = 0

    def store(self, *numbers: int) -> AcknowledgedStore:
        """The first host's, with these others."""

        def others() -> list[Session]:
            self.dialled += 1
            return [self.sessions[number - 1] for number in numbers]

        return AcknowledgedStore(self.sessions[0], others, lambda: 1)

    def end_agent(self, number: int) -> None:
        """Kill the agent of a host: the session with it is broken."""
        self.sessions[number - 1].stream().pipe.process.kill()  # type: ignore[attr-defined]

    def held(self, number: int, name: str = "store-copy") -> dict[str, bytes]:
        """What a host has on disk."""
        return FolderStore(self.folder / f"h{number}" / name).everything()[1]


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agents")


@pytest.fixture
def hosts(tmp_path: Path, agents: Path) -> Iterator[Hosts]:
    with ExitStack() as stack:
        each = [replace(HERE, id=f"h{number}", seat=number) for number in (1, 2, 3)]
        yield Hosts(tmp_path, [stack.enter_context(session_here(tmp_path / host.id, agents, host)) for host in each])


def test_what_is_written_stands_on_two_hosts(hosts: Hosts) -> None:
    store = hosts.store(2, 3)
    assert store.batch([List("")]).answers == ((),)
    assert hosts.dialled == 0, "reading needs nobody else"
    store.batch([Put("a", b"1")])
    store.batch([Put("b", b"1", if_absent=True)])
    assert hosts.held(2) == hosts.held(1, "store") == {"a": b"1", "b": b"1"}
    assert (hosts.held(3), hosts.dialled) == ({}, 1)


def test_what_is_lost_stands_nowhere(hosts: Hosts) -> None:
    store = hosts.store(2)
    store.batch([Put("a", b"1")])
    with pytest.raises(Lost):
        store.batch([Put("a", b"2", if_absent=True)])
    store.batch([Put("b", b"1")])
    assert hosts.held(2) == {"a": b"1", "b": b"1"}


def test_a_store_that_was_alone_so_far_is_copied_whole(hosts: Hosts) -> None:
    hosts.store().batch([Put("a", b"1"), Put("bytes", b"\xff\x00")])
    hosts.store(2).batch([Put("b", b"1")])
    assert hosts.held(2) == {"a": b"1", "bytes": b"\xff\x00", "b": b"1"}


def test_the_writes_of_two_laptops_meet_in_one_copy(hosts: Hosts) -> None:
    ada, bob = hosts.store(2), hosts.store(2)
    for number in range(3):
        ada.batch([Put(f"a{number}", b"1")])
        bob.batch([Put(f"b{number}", b"1")])
    assert hosts.held(2) == hosts.held(1, "store")
    assert len(hosts.held(2)) == 6


def test_the_next_host_holds_it_where_one_is_gone(hosts: Hosts) -> None:
    store = hosts.store(2, 3)
    store.batch([Put("a", b"1")])
    hosts.end_agent(2)
    store.batch([Put("b", b"1")])
    assert hosts.held(2) == {"a": b"1"}
    assert hosts.held(3) == {"a": b"1", "b": b"1"}


def test_without_another_host_a_write_fails_and_the_next_one_does_not_begin(hosts: Hosts) -> None:
    store = hosts.store(2)
    store.batch([Put("a", b"1")])
    hosts.end_agent(2)
    with pytest.raises(StoreAlone, match="h2: Lost the connection to host h2"):
        store.batch([Put("b", b"1")])
    with pytest.raises(StoreAlone):
        store.batch([Put("c", b"1")])
    assert store.batch([List("")]).answers == (("a", "b"),)
    hosts.sessions[1].end_agent()
    hosts.store(2).batch([Put("d", b"1")])
    assert hosts.held(2) == {"a": b"1", "b": b"1", "d": b"1"}


def test_of_a_lost_first_host_everything_acknowledged_is_found(hosts: Hosts) -> None:
    store = hosts.store(2, 3)
    store.batch([Put("a", b"1")])
    hosts.end_agent(2)
    store.batch([Put("a", b"2")])
    hosts.sessions[1].end_agent()
    copy = newest_copy(hosts.sessions[1:])
    assert (copy.session.host.id, copy.at) == ("h3", 2)
    promote(copy)
    assert hosts.held(3, "store") == {"a": b"2"}
    new = AcknowledgedStore(hosts.sessions[2], lambda: [hosts.sessions[1]], lambda: 2)
    new.batch([Put("b", b"1")])
    assert hosts.held(2) == {"a": b"2", "b": b"1"}
    with pytest.raises(NoCopy):
        promote(copy)


def test_a_laptop_that_still_writes_to_a_lost_first_host_is_refused_by_the_others(hosts: Hosts) -> None:
    store = hosts.store(2)
    store.batch([Put("a", b"1")])
    (hosts.folder / "h2" / "epoch").write_text("2\n")
    with pytest.raises(OldEpoch):
        store.batch([Put("a", b"2")])
    assert hosts.held(2) == {"a": b"1"}


def test_where_nobody_holds_a_copy_none_is_newest(hosts: Hosts) -> None:
    assert newest_copy(hosts.sessions[1:]).at == 0
    with pytest.raises(NoCopy):
        promote(newest_copy(hosts.sessions[1:]))
