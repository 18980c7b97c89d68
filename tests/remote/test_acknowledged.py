"""Writes that two hosts must hold, over real agents below folders of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.hosts import EpochTaken
from deployer.errors.store import NoCopy, StoreAlone
from deployer.model.space import Space
from deployer.operations.copies import Copy, copies, newest, promote, raise_epoch, read
from deployer.remote.acknowledged import AcknowledgedStore
from deployer.remote.agent import Session
from deployer.store import record
from deployer.store.base import Delete, List, Lost, Put
from deployer.store.copy import StoreCopy
from deployer.store.folder import FolderStore
from tests.remote.agents_here import HERE, session_here

pytestmark = pytest.mark.edge
SPACE = record.dump(Space("big", "ssh", "debian-13-amd64", "http://{app}.example/", "2026", "1", epoch=2))


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


def newest_of(sessions: list[Session]) -> Copy:
    return newest(copies(sessions))


def test_of_a_lost_first_host_everything_acknowledged_is_found(hosts: Hosts) -> None:
    store = hosts.store(2, 3)
    store.batch([Put("a", b"1")])
    hosts.end_agent(2)
    store.batch([Put("a", b"2")])
    hosts.sessions[1].end_agent()
    copy = newest_of(hosts.sessions[1:])
    assert (copy.session.host.id, copy.at) == ("h3", 2)
    raise_epoch(hosts.sessions[1:], 2)
    promote(copy.session, 2, ops=[Put("b", b"2")])
    assert hosts.held(3, "store") == {"a": b"2", "b": b"2"}
    new = AcknowledgedStore(hosts.sessions[2], lambda: [hosts.sessions[1]], lambda: 2)
    new.batch([Put("b", b"1")])
    assert hosts.held(2) == {"a": b"2", "b": b"1"}


def test_a_host_becomes_the_first_with_the_copy_of_another(hosts: Hosts) -> None:
    store = hosts.store(2, 3)
    store.batch([Put("a", b"1")])
    hosts.end_agent(2)
    store.batch([Put("a", b"2"), Put("bytes", b"\xff\x00")])
    hosts.sessions[1].end_agent()
    of, looked_into = read(newest_of(hosts.sessions[1:]))
    assert looked_into.batch([List("")]).answers == (("a", "bytes"),)
    raise_epoch(hosts.sessions[1:], 2)
    promote(hosts.sessions[1], 2, of, [Delete("bytes")])
    assert hosts.held(2, "store") == {"a": b"2"}


def test_a_promotion_that_is_cut_off_at_any_moment_goes_on(hosts: Hosts) -> None:
    """Before the rename the copy that was changed is the newest: it may be changed again, or go to another host."""
    hosts.store(2, 3).batch([Put("a", b"1")])
    StoreCopy(hosts.folder / "h2" / "store-copy").change([Put("space", SPACE)])
    raise_epoch(hosts.sessions[1:], 2)
    (hosts.folder / "h3" / "store").mkdir()  # as after somebody has looked for a ledger there
    copy = newest_of(hosts.sessions[1:])
    assert copy.session.host.id == "h2"
    promote(hosts.sessions[2], 2, read(copy)[0], [Put("space", SPACE)])
    assert hosts.held(3, "store") == {"a": b"1", "space": SPACE}
    assert [copy.ledger for copy in copies(hosts.sessions)] == [0, 0, 2]
    with pytest.raises(NoCopy):
        promote(hosts.sessions[2], 2, read(newest_of(hosts.sessions[1:]))[0])


def test_a_laptop_that_still_writes_to_a_lost_first_host_is_refused_by_the_others(hosts: Hosts) -> None:
    store = hosts.store(2)
    store.batch([Put("a", b"1")])
    raise_epoch(hosts.sessions[1:2], 2)
    with pytest.raises(OldEpoch):
        store.batch([Put("a", b"2")])
    assert hosts.held(2) == {"a": b"1"}


def test_of_two_promotions_at_the_same_time_one_at_most_goes_on(hosts: Hosts) -> None:
    hosts.store(2).batch([Put("a", b"1")])
    raise_epoch(hosts.sessions[1:2], 2)
    with pytest.raises(EpochTaken):
        raise_epoch(hosts.sessions[1:2], 2)
    raise_epoch(hosts.sessions[1:2], 3)
    with pytest.raises(OldEpoch):
        promote(hosts.sessions[1], 2)


def test_where_nobody_holds_a_copy_none_is_newest(hosts: Hosts) -> None:
    assert newest_of(hosts.sessions[1:]).at == 0
    with pytest.raises(NoCopy):
        promote(hosts.sessions[1], 1)


def test_the_store_of_an_old_first_host_is_set_aside_and_never_that_of_the_present_one(hosts: Hosts) -> None:
    hosts.store().batch([Put("space", SPACE)])
    with pytest.raises(Failure, match="is of epoch 2"):
        hosts.sessions[0].call("store_retire", {"epoch": 2})
    assert hosts.sessions[0].call("store_retire", {"epoch": 3}) == {"retired": True}
    assert hosts.held(1, "store-old") == {"space": SPACE}
    assert hosts.sessions[0].call("store_retire", {"epoch": 3}) == {"retired": False}
    assert [copy.ledger for copy in copies(hosts.sessions)] == [0, 0, 0]
