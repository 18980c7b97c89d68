"""What every store does, whichever it is: in a folder, in memory, on one host or two behind their agents, in S3."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.errors.lease import LeaseHeld
from deployer.remote.acknowledged import AcknowledgedStore
from deployer.remote.store import HostStore
from deployer.store.base import Delete, Get, List, Lost, Op, Put, Store, Stored
from deployer.store.folder import FolderStore
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.store.probe import probe
from deployer.store.s3 import S3Store
from tests.remote.agents_here import session_here
from tests.store.memory_store import MemoryStore
from tests.store.s3_here import Door, s3

COUNT = """
import sys
from deployer.store.base import Get, Lost, Put
from tests.store.test_contract import store_of
store, won = store_of(*sys.argv[1:]), 0
while won < 10:
    (stored,) = store.batch([Get("n")]).answers
    try:
        store.batch([Put("n", b"%d" % (int(stored.body) + 1), if_match=stored.etag)])
        won += 1
    except Lost:
        pass
"""
REAL = pytest.mark.edge


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with s3() as door:
        yield door


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agents")


@pytest.fixture(
    params=[
        "folder",
        "memory",
        pytest.param("host", marks=REAL),
        pytest.param("hosts", marks=REAL),
        pytest.param("s3", marks=REAL),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "host":
        with session_here(tmp_path / "host", request.getfixturevalue("agents")) as session:
            yield HostStore(session)
    elif request.param == "hosts":
        agents = request.getfixturevalue("agents")
        with session_here(tmp_path / "h1", agents) as first, session_here(tmp_path / "h2", agents) as second:
            yield AcknowledgedStore(first, lambda: [second], lambda: 1)
    elif request.param == "s3":
        yield S3Store(request.getfixturevalue("door").address(tmp_path.name))
    else:
        yield FolderStore(tmp_path / "store") if request.param == "folder" else MemoryStore()


def lost(store: Store, *ops: Op) -> str:
    """The key at which a batch was lost; empty where it was not."""
    try:
        store.batch(ops)
    except Lost as error:
        return error.key
    return ""


def body(store: Store, key: str) -> bytes | None:
    stored = store.batch([Get(key)]).answers[0]
    return stored.body if isinstance(stored, Stored) else None


def etag(store: Store, key: str) -> str:
    stored = store.batch([Get(key)]).answers[0]
    assert isinstance(stored, Stored)
    return stored.etag


def test_a_batch_answers_in_its_order(store: Store) -> None:
    answers = store.batch([Get("a"), Put("a", b"1"), Get("a"), List(""), Delete("a"), List(""), Get("a")]).answers
    assert answers == (None, answers[1], Stored(b"1", str(answers[1])), ("a",), None, (), None)


def test_bytes_that_are_no_text_come_back_as_they_were(store: Store) -> None:
    every = bytes(range(256)) * 40
    store.batch([Put("apps/shop/config/1", every)])
    assert body(store, "apps/shop/config/1") == every


def test_only_one_can_be_the_first(store: Store) -> None:
    assert lost(store, Put("releases/00000001", b"mine", if_absent=True)) == ""
    assert lost(store, Put("releases/00000001", b"yours", if_absent=True)) == "releases/00000001"
    assert body(store, "releases/00000001") == b"mine"


def test_a_write_that_saw_an_older_body_is_lost(store: Store) -> None:
    store.batch([Put("current", b"1")])
    first = etag(store, "current")
    assert lost(store, Put("current", b"2", if_match=first)) == ""
    assert lost(store, Put("current", b"3", if_match=first)) == "current"
    assert lost(store, Put("absent", b"3", if_match=first)) == "absent"
    assert lost(store, Delete("current", if_match=first)) == "current"
    assert body(store, "current") == b"2"


def test_what_was_deleted_under_a_condition_is_as_absent_as_what_never_was(store: Store) -> None:
    store.batch([Put("a/operation", b"1"), Put("a/app", b"1")])
    first = etag(store, "a/operation")
    assert lost(store, Delete("a/operation", if_match=first), Delete("a/operation", if_match=first)) == ""
    assert store.batch([Get("a/operation"), List("a/")]).answers == (None, ("a/app",))
    assert lost(store, Put("a/operation", b"2", if_match=first)) == "a/operation"
    assert lost(store, Put("a/operation", b"3", if_absent=True)) == ""
    assert lost(store, Put("a/operation", b"4", if_absent=True)) == "a/operation"
    assert body(store, "a/operation") == b"3"


def test_a_lost_condition_ends_the_batch_but_undoes_nothing(store: Store) -> None:
    store.batch([Put("b", b"there")])
    assert lost(store, Put("a", b"1"), Put("b", b"2", if_absent=True), Put("c", b"3")) == "b"
    assert store.batch([List("")]).answers == (("a", "b"),)


def test_deleting_what_is_not_there_is_no_error(store: Store) -> None:
    assert lost(store, Delete("a/b"), Delete("a/b", if_match="x")) == ""


def test_a_prefix_need_not_end_at_a_slash_and_lists_are_sorted(store: Store) -> None:
    names = ["apps/shop/app", "apps/shop-2/app", "apps/shop/releases/00000002", "apps/shop/releases/00000002.result"]
    store.batch([Put(key, b"1") for key in names])
    assert store.batch([List("apps/shop/")]).answers == (tuple(sorted(k for k in names if "shop/" in k)),)
    assert store.batch([List("apps/sh")]).answers == (tuple(sorted(names)),)
    assert store.batch([List("apps/shop/releases/00000002.")]).answers == (("apps/shop/releases/00000002.result",),)


def test_its_clock_is_a_clock(store: Store) -> None:
    if isinstance(store, MemoryStore):
        pytest.skip("its clock is turned by hand")
    assert abs(store.batch([Get("a")]).now - time.time()) < 60


def test_it_keeps_its_word_about_conditions_and_the_asking_leaves_nothing(store: Store) -> None:
    probe(store, "the store")
    assert store.batch([List("")]).answers == ((),)


def test_leases_and_apps_stand_on_it(store: Store) -> None:
    ledger = Ledger(store, "ada@laptop")
    for token in (1, 2):
        with hold(store, "app-shop", command="deploy", wait=None, second_store=lambda: store) as held:
            assert held.token == token
            with pytest.raises(LeaseHeld), hold(store, "app-shop", command="x", wait=None, second_store=lambda: store):
                pass
            held.check()
    app = ledger.create_app("shop", space="hosts")
    state = ledger.state("shop")
    assert state is not None and state.app == app and state.current is not None
    ledger.delete_app("shop")
    assert ledger.apps() == ()
    assert ledger.create_app("shop", space="hosts").uid == app.uid + 1


@pytest.mark.edge
@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_no_update_is_lost_between_processes(kind: str, door: Door, tmp_path: Path) -> None:
    where = str(tmp_path / "store") if kind == "folder" else tmp_path.name
    store = store_of(kind, where, str(door.port))
    store.batch([Put("n", b"0")])
    root = Path(__file__).parent.parent.parent
    words = [sys.executable, "-c", COUNT, kind, where, str(door.port)]
    counters = [subprocess.Popen(words, cwd=root) for _ in range(4)]
    assert [counter.wait(100) for counter in counters] == [0, 0, 0, 0]
    assert body(store, "n") == b"40"


def store_of(kind: str, where: str, port: str) -> Store:
    """The same store in another process."""
    return FolderStore(Path(where)) if kind == "folder" else S3Store(Door(int(port)).address(where))
