"""Reading ahead: fewer round trips, and never an answer that a question of its own would not have had."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest

from deployer.model.app import Operation
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.model.space import Space
from deployer.store import foresight, keys
from deployer.store.base import Get, List, Lost, Op, Put, Stored
from deployer.store.foresight import Foresight
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from tests.store.memory_store import MemoryStore

PLATFORM = "debian-13-amd64"
APP, OTHER = Get("apps/shop/app"), Get("apps/shop/current")


class Counted:
    """A store, and the batches that reached it."""

    def __init__(self) -> None:
        self.batches: list[list[Op]] = []
        self.store = MemoryStore(lambda ops: self.batches.append(list(ops)))
        self.seconds = 0.0
        self.ahead = Foresight(self.store, lambda: self.seconds)

    def write(self, key: str, body: bytes) -> None:
        """As somebody else does."""
        self.store.bodies[key] = body


@pytest.fixture
def counted() -> Counted:
    return Counted()


def body(ahead: Foresight, read: Get) -> bytes | None:
    stored = ahead.batch([read]).answers[0]
    return stored.body if isinstance(stored, Stored) else None


def test_what_is_expected_comes_along_and_is_given_once(counted: Counted) -> None:
    counted.write(APP.key, b"one")
    counted.ahead.expect([APP])
    assert body(counted.ahead, OTHER) is None
    counted.write(APP.key, b"two")
    assert body(counted.ahead, APP) == b"one"
    assert body(counted.ahead, APP) == b"two"
    assert counted.batches == [[OTHER, APP], [APP]]


def test_a_batch_that_is_known_in_part_is_asked_whole(counted: Counted) -> None:
    counted.ahead.expect([APP])
    counted.ahead.batch([OTHER])
    counted.write(APP.key, b"two")
    stored = counted.ahead.batch([APP, OTHER]).answers[0]
    assert isinstance(stored, Stored)
    assert stored.body == b"two"


def test_behind_a_write_nothing_from_before_it_is_given(counted: Counted) -> None:
    counted.ahead.expect([APP], lambda known: [OTHER])
    counted.ahead.batch([List("hosts/")])
    counted.ahead.batch([Put("leases/app-shop", b"mine", if_absent=True)])
    counted.write(APP.key, b"since")
    counted.write(OTHER.key, b"since")
    assert (body(counted.ahead, APP), body(counted.ahead, OTHER)) == (b"since", None)


def test_a_write_that_lost_brings_nothing_and_the_next_one_does(counted: Counted) -> None:
    counted.write("lease", b"theirs")
    counted.ahead.expect([], lambda known: [APP])
    with pytest.raises(Lost):
        counted.ahead.batch([Put("lease", b"mine", if_absent=True)])
    counted.ahead.batch([Put("lease", b"mine")])
    counted.write(APP.key, b"since")
    assert body(counted.ahead, APP) is None


def test_what_was_read_ahead_gets_old(counted: Counted) -> None:
    counted.ahead.expect([APP])
    counted.ahead.batch([OTHER])
    counted.write(APP.key, b"since")
    counted.seconds = foresight.FRESH + 1
    assert body(counted.ahead, APP) == b"since"


def test_the_stores_clock_goes_on(counted: Counted) -> None:
    counted.ahead.expect([APP])
    counted.ahead.batch([OTHER])
    counted.seconds = 1.5
    assert counted.ahead.batch([APP]).now == counted.store.now + 1.5


@pytest.fixture
def shop(counted: Counted) -> Iterator[Ledger]:
    """A ledger that knows nothing yet of an app with a release."""
    writer = Ledger(counted.store, "ada@laptop")
    writer.save_space(Space("studio", "sandbox", PLATFORM, "http://{app}.localhost/", "2026", "0.1.0"))
    app = writer.create_app("shop", space="studio")
    slug = Slug(PLATFORM, (), {"web": "run"}, (), 0)
    release = writer.new_release("shop", drafted(writer, slug, {"COLOUR": "red"}))
    state = writer.state("shop")
    assert state is not None
    assert state.current is not None
    writer.commit(state, app, type(state.current)(release.number, 2))
    counted.batches.clear()
    yield Ledger(counted.store, "ada@laptop")


def drafted(ledger: Ledger, slug: Slug, config: dict[str, str]) -> Release:
    return Release(0, ledger.save_slug(slug), ledger.save_config("shop", config), "Deploy", "", "")


def taken(ledger: Ledger, counted: Counted) -> Ledger:
    """The ledger, with the app's lease taken through it."""
    ledger.expect_state("shop")
    with hold(ledger.store, "app-shop", command="deploy", wait=None, second_store=lambda: counted.store) as held:
        state = ledger.state("shop")
        assert state is not None
        assert state.config == {"COLOUR": "red"}
        release = ledger.new_release("shop", drafted(ledger, Slug(PLATFORM, (), {}, (), 0), {"COLOUR": "blue"}))
        ledger.save_operation("shop", Operation("deploy", "boot", release.number, 2, held.token, {}, 3), held)
    return ledger


def test_a_lease_a_state_and_a_release_are_three_round_trips(shop: Ledger, counted: Counted) -> None:
    taken(shop, counted)
    wrote = [any(isinstance(op, Put) for op in ops) for ops in counted.batches]
    assert wrote == [False, True, True, True, True]  # a look at the lease, it, the release, the operation, it is free


def test_a_release_between_the_look_and_the_lease_is_seen(shop: Ledger, counted: Counted) -> None:
    other, looked = Ledger(counted.store, "bob@laptop"), itertools.count()

    def another(ops: Sequence[Op]) -> None:
        if any(isinstance(op, Put) and op.key == keys.lease("app-shop") for op in ops) and next(looked) == 0:
            state = other.state("shop")
            assert state is not None
            assert state.current is not None
            release = other.new_release("shop", drafted(other, Slug(PLATFORM, (), {}, (), 0), {"COLOUR": "green"}))
            other.commit(state, state.app, type(state.current)(release.number, 3))

    counted.store.before = another
    shop.expect_state("shop")
    with hold(shop.store, "app-shop", command="deploy", wait=None, second_store=lambda: counted.store):
        state = shop.state("shop")
    assert state is not None
    assert state.config == {"COLOUR": "green"}
    assert state.release is not None
    assert state.release.number == 3
