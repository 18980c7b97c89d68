"""The store in a folder: its names, its files, and its words on the wire."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.store.base import Answers, Delete, Get, List, Op, Put, Stored
from deployer.store.folder import FolderStore, etag
from deployer.store.wire import answer_from_json, answer_to_json, op_from_json, op_to_json


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store", now=lambda: 1234.5)


def test_answers_bear_the_clock_of_the_store(store: FolderStore) -> None:
    assert store.batch([Put("a", b"1"), Get("a")]) == Answers(1234.5, (etag(b"1"), Stored(b"1", etag(b"1"))), at=1)


def test_the_last_key_takes_its_folders_with_it(store: FolderStore, tmp_path: Path) -> None:
    store.batch([Put("apps/shop/app", b"1"), Put("apps/blog/app", b"1"), Delete("apps/shop/app")])
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
