"""Copies of a store: in step with it, or given everything; never a mixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.store.base import Delete, List, Lost, Op, Put
from deployer.store.copy import StoreCopy
from deployer.store.folder import FolderStore

EPOCH = 1


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def copy(tmp_path: Path) -> StoreCopy:
    """It is in step from the beginning: the store has one batch, and so has the copy."""
    FolderStore(tmp_path / "store").batch([Put("space", b"1")])
    copy = StoreCopy(tmp_path / "copy")
    copy.become(EPOCH, 1, {"space": b"1"})
    return copy


def bodies(store: FolderStore) -> dict[str, bytes]:
    return store.everything()[1]


def follow(copy: StoreCopy, store: FolderStore, *ops: Op) -> bool:
    """Whether the copy could follow the store's next batch."""
    return copy.follow(EPOCH, store.batch(ops).at, ops)


def test_a_new_copy_has_nothing_to_follow_from(tmp_path: Path) -> None:
    new = StoreCopy(tmp_path / "new")
    assert not new.follow(EPOCH, 1, [Put("a", b"1")])
    assert (bodies(new), new.at()) == ({}, (0, 0))


def test_batches_that_change_something_are_counted_and_others_are_not(store: FolderStore) -> None:
    ops = (List(""), Put("a", b"1"), List(""), Delete("a"), Delete("a"), Put("b", b"1"))
    assert [store.batch([op]).at for op in ops] == [0, 1, 1, 2, 2, 3]
    with pytest.raises(Lost):
        store.batch([Put("b", b"2", if_absent=True)])
    assert store.batch([List("")]).at == 3


def test_a_copy_follows_batch_by_batch(store: FolderStore, copy: StoreCopy) -> None:
    assert follow(copy, store, Put("a", b"1"), Put("b", b"1"))
    assert follow(copy, store, Delete("a"), Put("b", b"2"))
    assert bodies(copy) == bodies(store) == {"space": b"1", "b": b"2"}
    assert copy.at() == (EPOCH, 3)


def test_a_copy_that_missed_a_batch_says_so_and_stays_what_it_was(store: FolderStore, copy: StoreCopy) -> None:
    assert follow(copy, store, Put("a", b"1"))
    store.batch([Put("a", b"2")])
    assert not follow(copy, store, Put("b", b"1"))
    assert (bodies(copy), copy.at()) == ({"space": b"1", "a": b"1"}, (EPOCH, 2))


def test_a_batch_that_came_already_is_not_done_again(store: FolderStore, copy: StoreCopy) -> None:
    assert follow(copy, store, Put("a", b"1"))
    assert follow(copy, store, Put("a", b"2"))
    assert copy.follow(EPOCH, 2, [Put("a", b"1")])
    assert bodies(copy) == {"space": b"1", "a": b"2"}


def test_what_an_unmet_condition_left_half_done_is_missed_and_made_good(store: FolderStore, copy: StoreCopy) -> None:
    assert follow(copy, store, Put("a", b"1"))
    with pytest.raises(Lost):
        store.batch([Put("b", b"1"), Put("a", b"2", if_absent=True)])
    assert not follow(copy, store, Put("c", b"1"))
    copy.become(EPOCH, *store.everything())
    assert bodies(copy) == bodies(store) == {"space": b"1", "a": b"1", "b": b"1", "c": b"1"}
    assert follow(copy, store, Put("d", b"1"))


def test_becoming_leaves_nothing_of_before(copy: StoreCopy) -> None:
    copy.become(EPOCH, 5, {"a": b"1", "apps/shop/app": b"1"})
    copy.become(EPOCH, 9, {"a": b"2"})
    assert (bodies(copy), copy.at()) == ({"a": b"2"}, (EPOCH, 9))
    copy.become(EPOCH, 7, {"late": b"1"})
    assert bodies(copy) == {"a": b"2"}


def test_a_copy_of_an_older_epoch_is_worth_nothing(copy: StoreCopy) -> None:
    copy.become(EPOCH, 9, {"a": b"1"})
    assert not copy.follow(EPOCH + 1, 10, [Put("a", b"2")])
    copy.become(EPOCH + 1, 4, {"a": b"3"})
    assert (bodies(copy), copy.at()) == ({"a": b"3"}, (EPOCH + 1, 4))


def test_a_copy_that_was_cut_off_as_it_became_one_is_worth_nothing(copy: StoreCopy) -> None:
    """What cuts it off here is a key that is also a folder of others."""
    copy.become(EPOCH, 3, {"a": b"1"})
    with pytest.raises(OSError):
        copy.become(EPOCH, 9, {"b/c": b"1", "b": b"1"})
    assert copy.at() == (EPOCH, 0)
    copy.become(EPOCH, 10, {"c": b"2"})
    assert (bodies(copy), copy.at()) == ({"c": b"2"}, (EPOCH, 10))
