"""The store in a folder: conditions, batches, names, and two writers at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.store.base import Delete, Get, List, Lost, Op, Put, Stored
from deployer.store.folder import FolderStore, etag
from deployer.store.wire import answer_from_json, answer_to_json, op_from_json, op_to_json


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store", now=lambda: 1234.5)


def lost(store: FolderStore, *ops: Op) -> str:
    """The key at which a batch was lost; empty where it was not."""
    try:
        store.batch(ops)
    except Lost as error:
        return error.key
    return ""


def test_a_batch_answers_in_its_order_with_the_stores_clock(store: FolderStore) -> None:
    answers = store.batch([Get("a"), Put("a", b"1"), Get("a"), List(""), Delete("a"), List("")])
    assert answers.now == 1234.5
    assert answers.answers == (None, etag(b"1"), Stored(b"1", etag(b"1")), ("a",), None, ())


def test_only_one_can_be_the_first(store: FolderStore) -> None:
    assert lost(store, Put("releases/00000001", b"mine", if_absent=True)) == ""
    assert lost(store, Put("releases/00000001", b"yours", if_absent=True)) == "releases/00000001"
    assert store.batch([Get("releases/00000001")]).answers == (Stored(b"mine", etag(b"mine")),)


def test_a_write_that_saw_an_older_body_is_lost(store: FolderStore) -> None:
    store.batch([Put("current", b"1")])
    assert lost(store, Put("current", b"2", if_match=etag(b"1"))) == ""
    assert lost(store, Put("current", b"3", if_match=etag(b"1"))) == "current"
    assert lost(store, Put("absent", b"3", if_match=etag(b"1"))) == "absent"
    assert lost(store, Delete("current", if_match=etag(b"1"))) == "current"
    assert lost(store, Delete("current", if_match=etag(b"2"))) == ""


def test_a_lost_condition_ends_the_batch_but_undoes_nothing(store: FolderStore) -> None:
    store.batch([Put("b", b"there")])
    assert lost(store, Put("a", b"1"), Put("b", b"2", if_absent=True), Put("c", b"3")) == "b"
    assert store.batch([List("")]).answers == (("a", "b"),)


def test_deleting_what_is_not_there_is_no_error(store: FolderStore) -> None:
    assert lost(store, Delete("a/b"), Delete("a/b", if_match="x")) == ""


def test_a_prefix_need_not_end_at_a_slash_and_lists_are_sorted(store: FolderStore) -> None:
    keys = ["apps/shop/app", "apps/shop-2/app", "apps/shop/releases/00000002", "apps/shop/releases/00000002.result"]
    store.batch([Put(key, b"") for key in keys])
    assert store.batch([List("apps/shop/")]).answers == (tuple(sorted(k for k in keys if "shop/" in k)),)
    assert store.batch([List("apps/sh")]).answers == (tuple(sorted(keys)),)
    assert store.batch([List("apps/shop/releases/00000002.")]).answers == (("apps/shop/releases/00000002.result",),)


def test_the_last_key_takes_its_folders_with_it(store: FolderStore, tmp_path: Path) -> None:
    store.batch([Put("apps/shop/app", b""), Put("apps/blog/app", b""), Delete("apps/shop/app")])
    assert [path.name for path in (tmp_path / "store/apps").iterdir()] == ["blog"]


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".lock", "a/.b", "a\0b", "a\nb", "ä"])
def test_a_key_that_could_lead_elsewhere_is_refused(store: FolderStore, tmp_path: Path, key: str) -> None:
    for op in (Get(key), Put(key, b""), Delete(key)):
        with pytest.raises(ValueError, match="no key"):
            store.batch([op])
    assert list(tmp_path.iterdir()) == []


def test_bodies_are_readable_by_nobody_else(store: FolderStore, tmp_path: Path) -> None:
    store.batch([Put("apps/shop/config/1", b"secret")])
    for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_what_a_killed_writer_left_is_no_key_and_hinders_nobody(store: FolderStore, tmp_path: Path) -> None:
    store.batch([Put("a", b"1")])
    (tmp_path / "store/.new").write_bytes(b"half a bo")
    assert store.batch([List(""), Put("b", b"2"), Get("b")]).answers[0] == ("a",)


COUNT = """
import sys
from pathlib import Path
from deployer.store.base import Get, Lost, Put
from deployer.store.folder import FolderStore
store, won = FolderStore(Path(sys.argv[1])), 0
while won < 50:
    (stored,) = store.batch([Get("n")]).answers
    try:
        store.batch([Put("n", b"%d" % (int(stored.body) + 1), if_match=stored.etag)])
        won += 1
    except Lost:
        pass
"""


@pytest.mark.edge
def test_no_update_is_lost_between_processes(store: FolderStore, tmp_path: Path) -> None:
    store.batch([Put("n", b"0")])
    root = Path(__file__).parent.parent.parent
    words = [sys.executable, "-c", COUNT, str(tmp_path / "store")]
    counters = [subprocess.Popen(words, cwd=root) for _ in range(4)]
    assert [counter.wait(60) for counter in counters] == [0, 0, 0, 0]
    (stored,) = store.batch([Get("n")]).answers
    assert isinstance(stored, Stored)
    assert stored.body == b"200"


KEYS = st.from_regex(r"[a-z]{1,3}(/[a-z0-9]{1,3}){0,2}", fullmatch=True)
ETAGS = st.none() | st.just(etag(b""))
OPS = st.one_of(
    KEYS.map(Get),
    KEYS.map(List),
    st.builds(Delete, KEYS, ETAGS),
    st.builds(Put, KEYS, st.binary(), st.booleans(), ETAGS),
)
ANSWERS = st.one_of(
    st.none(), st.builds(Stored, st.binary(), st.text()), st.text(), st.lists(KEYS).map(lambda keys: tuple(keys))
)


@given(OPS)
def test_operations_travel_whole_bytes_that_are_no_text_included(op: Op) -> None:
    assert op_from_json(op_to_json(op)) == op


@given(ANSWERS)
def test_answers_travel_whole(answer: Stored | str | tuple[str, ...] | None) -> None:
    assert answer_from_json(answer_to_json(answer)) == answer
