"""Leases, over a store in memory whose clock the tests turn, and between processes over a store in a folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from deployer.errors.lease import LeaseHeld, LeaseLost
from deployer.model.lease import Lease
from deployer.store import keys, record
from deployer.store.base import Get, Lost, Op, Put, Store, Stored
from deployer.store.folder import FolderStore
from deployer.store.lease import hold
from tests.store.memory_store import DeafStore, MemoryStore

NEVER = 4_194_304  # one more than the kernel's largest process number
HOLDER = """
import sys, time
from pathlib import Path
from deployer.store.folder import FolderStore
from deployer.store.lease import hold

store = FolderStore(Path(sys.argv[1]))
with hold(store, "app-shop", command="deploy", wait=None, second_store=lambda: store) as held:
    print(held.token, flush=True)
    time.sleep(60)
"""


def no_second() -> Store:
    raise AssertionError("a lease that lives shorter than its renewal's turn needs no second store")


def lease_in(store: MemoryStore, name: str = "app-shop") -> Lease:
    stored = store.batch([Get(keys.lease(name))]).answers[0]
    assert isinstance(stored, Stored)
    return record.load(Lease, stored)


def held_by_another(store: MemoryStore, *, seconds: float, token: int = 7) -> None:
    other = Lease(token, "x", "bob", "ci-7", 4711, "deployer deploy", store.now + seconds)
    store.batch([Put(keys.lease("app-shop"), record.dump(other))])


def test_the_token_grows_by_one_at_every_take() -> None:
    store = MemoryStore()
    for expected in (1, 2, 3):
        with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
            assert held.token == expected
            held.check()


def test_freeing_clears_the_holder_and_keeps_the_token() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second):
        assert lease_in(store).is_held(store.now)
    assert lease_in(store) == Lease(1)


def test_a_lease_is_freed_when_the_work_fails() -> None:
    store = MemoryStore()
    with (
        pytest.raises(ZeroDivisionError),
        hold(store, "app-shop", command="deploy", wait=None, second_store=no_second),
    ):
        raise ZeroDivisionError
    assert lease_in(store).holder is None


def test_a_refusal_names_holder_command_and_time_left() -> None:
    store = MemoryStore()
    held_by_another(store, seconds=41.8)
    with (
        pytest.raises(LeaseHeld) as refused,
        hold(store, "app-shop", command="scale", wait=None, second_store=no_second),
    ):
        pass
    assert str(refused.value) == (
        "bob on ci-7 is changing ⬢ shop.\n\n"
        "`deployer deploy` (process 4711) holds its lease, for 42 s more unless it renews it.\n\n"
        "Wait for it with --wait, or try again: a lease whose holder died ends by itself."
    )


def test_expiry_is_judged_by_the_stores_clock() -> None:
    """The store's clock is decades away from this machine's: only it counts."""
    store = MemoryStore()
    held_by_another(store, seconds=60)
    store.now += 59.9
    with pytest.raises(LeaseHeld), hold(store, "app-shop", command="x", wait=None, second_store=no_second):
        pass
    store.now += 0.2
    with hold(store, "app-shop", command="x", wait=None, second_store=no_second) as held:
        assert held.token == 8


def test_who_slept_past_the_end_finds_it_lost_at_the_next_check() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        store.now += 61
        held_by_another(store, seconds=60, token=2)
        with pytest.raises(LeaseLost, match=r"it went to bob on ci-7 \(`deployer deploy`\)"):
            held.check()
    assert lease_in(store).user == "bob", "leaving must not free what is another's"


def test_who_slept_past_the_end_alone_still_has_it() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        store.now += 61
        held.check()
        assert lease_in(store).expires == store.now + 60


def test_a_check_is_one_round_trip_and_writes_with_it() -> None:
    trips: list[Sequence[Op]] = []
    store = MemoryStore(trips.append)
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        trips.clear()
        store.now += 0.5
        held.check()
        assert held.batch([Put("a", b"1")]).answers == store.batch([Put("a", b"1")]).answers
        assert len(trips) == 3
    assert lease_in(store).holder is None


def test_nothing_is_written_without_the_lease() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        held_by_another(store, seconds=60, token=2)
        for _ in range(2):
            with pytest.raises(LeaseLost):
                held.batch([Put("a", b"1")])
        assert "a" not in store.bodies
    assert lease_in(store).user == "bob"


def test_a_write_whose_own_condition_fails_leaves_the_lease_ours() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        with pytest.raises(Lost):
            held.batch([Put("a", b"1", if_match="another")])
        held.batch([Put("a", b"1", if_absent=True)])
    assert (store.bodies["a"], lease_in(store).holder) == (b"1", None)


def test_what_its_other_thread_prolonged_is_still_ours() -> None:
    store = MemoryStore()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        mine = lease_in(store)
        store.batch([Put(keys.lease("app-shop"), record.dump(mine))])
        held.batch([Put("a", b"1")])
    assert (store.bodies["a"], lease_in(store).holder) == (b"1", None)


def test_another_that_is_faster_between_look_and_write_wins() -> None:
    store = MemoryStore()

    def overtake(ops: Sequence[Op]) -> None:
        if isinstance(ops[0], Put):
            store.before = lambda ops: None
            held_by_another(store, seconds=60)

    store.before = overtake
    with pytest.raises(LeaseHeld), hold(store, "app-shop", command="x", wait=None, second_store=no_second):
        pass


def test_a_take_that_was_done_and_sent_again_is_one_take() -> None:
    with hold(DeafStore(), "app-shop", command="x", wait=None, second_store=no_second) as held:
        assert held.token == 1
        held.check()


def test_waiting_takes_it_when_the_holder_frees_it() -> None:
    store = MemoryStore()
    held_by_another(store, seconds=60)
    seen: list[LeaseHeld] = []

    def free_it(held: LeaseHeld) -> None:
        seen.append(held)
        store.batch([Put(keys.lease("app-shop"), record.dump(Lease(7)))])

    with hold(store, "app-shop", command="x", wait=5, second_store=no_second, waiting=free_it) as held:
        assert held.token == 8
    assert [held.user for held in seen] == ["bob"]


def test_waiting_ends_at_its_deadline() -> None:
    store = MemoryStore()
    held_by_another(store, seconds=60)
    with pytest.raises(LeaseHeld), hold(store, "app-shop", command="x", wait=0.05, second_store=no_second):
        pass


class RenewedStore(MemoryStore):
    """Its clock runs by one second a batch; `renewed` is set at the second write of a lease."""

    def __init__(self) -> None:
        super().__init__(self.count)
        self.renewed = threading.Event()
        self.writes = 0

    def count(self, ops: Sequence[Op]) -> None:
        self.now += 1
        self.writes += isinstance(ops[0], Put)
        if self.writes == 3:
            self.renewed.set()


def test_a_thread_renews_it_through_the_second_store() -> None:
    store = RenewedStore()
    opened: list[int] = []

    def second() -> Store:
        opened.append(1)
        return store

    with hold(store, "app-shop", command="x", wait=None, second_store=second, renew_every=0.01):
        assert store.renewed.wait(5)
        assert lease_in(store).expires > store.now + 55
    assert opened == [1], "one connection for all renewals"


def test_a_second_store_that_breaks_is_opened_again() -> None:
    store = RenewedStore()
    tries: list[int] = []

    def second() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionResetError
        return store

    with hold(store, "app-shop", command="x", wait=None, second_store=second, renew_every=0.01):
        assert store.renewed.wait(5)
    assert len(tries) == 2


def test_nobody_waits_for_a_holder_of_this_machine_that_was_killed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        with (
            pytest.raises(LeaseHeld),
            hold(store, "app-shop", command="deploy", wait=None, second_store=no_second),
        ):
            raise AssertionError("a living holder must be respected")
        holder.kill()
        holder.wait()
    with hold(store, "app-shop", command="deploy", wait=None, second_store=no_second) as held:
        assert held.token == 2


def test_a_holder_of_another_machine_is_waited_for_whatever_its_process_number(tmp_path: Path) -> None:
    store = MemoryStore()
    gone = Lease(7, "someone", "bob", socket.gethostname(), NEVER, "deploy", store.now + 30, machine="another boot")
    store.batch([Put(keys.lease("app-shop"), record.dump(gone))])
    with (
        pytest.raises(LeaseHeld),
        hold(store, "app-shop", command="deploy", wait=None, second_store=no_second),
    ):
        raise AssertionError("only this machine's processes can be known to be dead")
