"""The ledger over a store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployer.errors.apps import AppExists
from deployer.errors.ledger import RecordChanged, SpaceEmpty
from deployer.model.addon import Addon
from deployer.model.app import Current, Operation
from deployer.model.formation import Quantity
from deployer.model.release import Release
from deployer.model.slug import Layer, Slug
from deployer.model.space import Host, Space
from deployer.store import record
from deployer.store.base import Op, Store
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from tests.store.memory_store import DeafStore, MemoryStore

SLUG = Slug("debian-13-amd64", (Layer("app", "aa", 10, 1),), {"web": "./serve"}, ("python",), 10)


def ledger_over(store: Store) -> Ledger:
    return Ledger(store, "alice@laptop", lambda: datetime(2026, 9, 30, 14, 5, 6, 999, UTC))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Over a store in a folder, which also refuses keys that are none."""
    return ledger_over(FolderStore(tmp_path))


def draft(slug: str | None = None, config: str = record.digest({})) -> Release:
    return Release(0, slug, config, "Deploy 1a2b3c4d", "", "")


def test_a_store_without_a_space_says_so(ledger: Ledger) -> None:
    with pytest.raises(SpaceEmpty):
        ledger.space()


def test_a_space_comes_back_as_it_was_saved(ledger: Ledger) -> None:
    space = Space("sandbox", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", "0.1.0")
    ledger.save_space(space)
    assert ledger.space() == space


def test_a_new_app_has_its_first_release_and_a_uid(ledger: Ledger) -> None:
    app = ledger.create_app("shop", space="sandbox")
    state = ledger.state("shop")
    assert state is not None and state.release is not None and state.current is not None
    assert (app.uid, app.created) == (20001, "2026-09-30T14:05:06Z")
    assert (state.release.name, state.release.description, state.release.user) == (
        "v1",
        "Initial release",
        "alice@laptop",
    )
    assert (state.config, state.slug, state.operation) == ({}, None, None)


def test_a_name_is_taken_once(ledger: Ledger) -> None:
    ledger.create_app("shop", space="sandbox")
    with pytest.raises(AppExists):
        ledger.create_app("shop", space="sandbox")


def test_a_uid_is_never_used_again(ledger: Ledger) -> None:
    ledger.create_app("one", space="s")
    ledger.delete_app("one")
    assert ledger.create_app("two", space="s").uid == 20002
    assert ledger.create_app("one", space="s").uid == 20003


def test_deleting_an_app_leaves_its_neighbours_and_no_key_of_its_own() -> None:
    store = MemoryStore()
    ledger = ledger_over(store)
    ledger.create_app("shop", space="s")
    ledger.create_app("shop-2", space="s")
    ledger.delete_app("shop")
    assert [app.name for app in ledger.apps()] == ["shop-2"]
    assert not [key for key in store.bodies if key.startswith("apps/shop/")]
    assert ledger.state("shop") is None


def test_releases_are_numbered_without_holes_and_listed_newest_first(ledger: Ledger) -> None:
    ledger.create_app("shop", space="s")
    for expected in (2, 3, 4):
        assert ledger.new_release("shop", draft()).number == expected
    ledger.end_release("shop", 3, "the release command exited with 1")
    entries = ledger.releases("shop", 3)
    assert [entry.release.number for entry in entries] == [4, 3, 2]
    assert [entry.result.status if entry.result else "pending" for entry in entries] == ["pending", "failed", "pending"]


def test_two_laptops_never_get_the_same_number() -> None:
    """Another release is recorded between the look at the numbers and the write."""
    store = MemoryStore()
    ledger, other = ledger_over(store), ledger_over(store)
    ledger.create_app("shop", space="s")
    calls: list[int] = []

    def overtake(ops: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            other.new_release("shop", draft())

    store.before = overtake
    assert ledger.new_release("shop", draft()).number == 3


def test_a_write_that_was_done_and_sent_again_is_no_loss() -> None:
    ledger = ledger_over(DeafStore())
    app = ledger.create_app("shop", space="s")
    assert ledger.new_release("shop", draft()).number == 2
    assert app.uid == 20001


def committed(ledger: Ledger) -> None:
    """v2 of `shop`: a slug, a config var, one web dyno."""
    ledger.create_app("shop", space="s")
    state = ledger.state("shop")
    assert state is not None
    config = ledger.save_config("shop", {"A": "1"})
    release = ledger.new_release("shop", draft(ledger.save_slug(SLUG), config))
    ledger.commit(state, state.app, Current(release.number, 2))


def test_a_commit_makes_the_release_current_with_its_slug_and_config(ledger: Ledger) -> None:
    committed(ledger)
    state = ledger.state("shop")
    assert state is not None and state.release is not None
    assert (state.release.number, state.config, state.slug) == (2, {"A": "1"}, SLUG)


def test_a_state_is_two_round_trips() -> None:
    store = MemoryStore()
    committed(ledger_over(store))
    trips: list[object] = []
    store.before = trips.append
    ledger_over(store).state("shop")
    assert len(trips) == 2


def test_from_a_slug_to_the_commit_is_four_round_trips() -> None:
    """Latency counts each of them: what is known to be there is neither written nor read again."""
    trips: list[Sequence[Op]] = []
    store = MemoryStore(trips.append)
    ledger_over(store).create_app("shop", space="s")
    ledger = ledger_over(store)
    state = ledger.state("shop")
    assert state is not None
    trips.clear()
    release = ledger.new_release("shop", draft(ledger.save_slug(SLUG), ledger.save_config("shop", state.config)))
    ledger.save_operation("shop", Operation("deploy", "boot", release.number, 1, 8))
    committed = ledger.commit(state, state.app, Current(release.number, 2))
    assert len(trips) == 4
    seen = ledger_over(store).state("shop")
    assert seen == replace(committed, operation=Operation("deploy", "boot", release.number, 1, 8))


def test_a_commit_returns_the_state_that_a_reader_would_see(ledger: Ledger) -> None:
    committed(ledger)
    before = ledger.state("shop")
    assert before is not None and before.current is not None
    app = ledger.app("shop")
    assert app is not None
    after = ledger.commit(before, replace(app, formation={"web": Quantity(3)}), replace(before.current, generation=9))
    assert after == ledger.state("shop")
    assert after.app.formation == {"web": Quantity(3)}


def test_the_sleeping_laptop_commits_over_nobody() -> None:
    store = MemoryStore()
    sleeper, other = ledger_over(store), ledger_over(store)
    committed(sleeper)
    stale, fresh = sleeper.state("shop"), other.state("shop")
    assert stale is not None and fresh is not None
    mine, theirs = sleeper.new_release("shop", draft()), other.new_release("shop", draft())
    other.commit(fresh, fresh.app, Current(theirs.number, 3))
    with pytest.raises(RecordChanged):
        sleeper.commit(stale, stale.app, Current(mine.number, 3))
    state = other.state("shop")
    assert state is not None and state.current is not None
    assert state.current.release == theirs.number


def test_the_sleeping_laptop_writes_over_no_other_operation() -> None:
    store = MemoryStore()
    sleeper, other = ledger_over(store), ledger_over(store)
    committed(sleeper)
    sleeper.state("shop")
    other.state("shop")
    other.save_operation("shop", Operation("deploy", "boot", 4, 2, 8))
    with pytest.raises(RecordChanged):
        sleeper.save_operation("shop", Operation("deploy", "switch", 3, 2, 7))


def test_an_operation_moves_through_its_phases_and_is_forgotten(ledger: Ledger) -> None:
    committed(ledger)
    ledger.state("shop")
    for phase in ("record", "boot", "switch"):
        ledger.save_operation("shop", Operation("deploy", phase, 3, 2, 7))
    state = ledger.state("shop")
    assert state is not None and state.operation is not None and state.operation.phase == "switch"
    ledger.clear_operation("shop")
    assert (state := ledger.state("shop")) is not None and state.operation is None
    ledger.save_operation("shop", Operation("scale", "boot", 3, 2, 8))


def test_a_release_that_was_cut_off_before_it_began_has_failed_when_the_next_one_comes(ledger: Ledger) -> None:
    """Between its record and that of the operation a command can end, and no operation says so."""
    ledger.create_app("shop", space="sandbox")
    number = ledger.new_release("shop", draft(), serving=1).number
    assert ledger.result("shop", number) is None
    ledger.new_release("shop", draft(), serving=1)
    result = ledger.result("shop", number)
    assert result is not None and (result.status, result.reason) == ("failed", "cut off before it began")
    assert ledger.result("shop", number + 1) is None


def test_the_first_word_about_a_release_stands(ledger: Ledger) -> None:
    ledger.create_app("shop", space="s")
    release = ledger.new_release("shop", draft())
    ledger.end_release("shop", release.number, "cut off")
    ledger.end_release("shop", release.number)
    result = ledger.result("shop", release.number)
    assert result is not None and (result.status, result.reason) == ("failed", "cut off")


def test_config_of_equal_content_has_one_digest_whatever_its_order(ledger: Ledger) -> None:
    first = ledger.save_config("shop", {"A": "1", "B": "é\n"})
    assert first == ledger.save_config("shop", {"B": "é\n", "A": "1"})
    assert first != ledger.save_config("shop", {"A": "1", "B": "e\n"})
    assert ledger.config("shop", first) == {"A": "1", "B": "é\n"}


def test_hosts_are_listed_by_seat_and_a_freed_seat_is_taken_again(ledger: Ledger) -> None:
    assert [ledger.take_seat(name) for name in ("a", "b", "c")] == [1, 2, 3]
    ledger.free_seat(2)
    assert ledger.take_seat("d") == 2
    for name, seat in (("c", 3), ("a", 1), ("d", 2)):
        ledger.save_host(Host(name, seat, "127.0.0.1", "10.0.0.1", "ssh-ed25519 AAAA"))
    assert [host.id for host in ledger.hosts()] == ["a", "d", "c"]


def test_a_seat_is_free_when_its_host_is_forgotten_or_never_came(ledger: Ledger) -> None:
    for name in ("a", "b", "cut off"):
        ledger.take_seat(name)
    hosts = [Host(name, seat, "127.0.0.1", "10.0.0.1", "ssh-ed25519 AAAA") for name, seat in (("a", 1), ("b", 2))]
    for host in hosts:
        ledger.save_host(host)
    ledger.free_lost_seats()
    assert ledger.take_seat("c") == 3
    ledger.forget_host(hosts[0])
    assert ledger.hosts() == (hosts[1],)
    assert ledger.take_seat("d") == 1


def test_addons_belong_to_the_app_that_made_them(ledger: Ledger) -> None:
    for app in ("shop", "blog"):
        ledger.save_addon(Addon(f"pg-{app}", "heroku-postgresql", "mini", app, "2026", "provisioned", {"URL": "x"}))
    assert [addon.name for addon in ledger.addons("blog")] == ["pg-blog"]
    assert len(ledger.addons()) == 2
    ledger.delete_addon("pg-blog")
    assert ledger.addon("pg-blog") is None


def test_the_audit_says_who_did_what(tmp_path: Path) -> None:
    ledger_over(FolderStore(tmp_path)).audit("scale web=2", "shop")
    [entry] = tmp_path.glob("audit/2026-09-30T140506Z-*")
    assert "alice@laptop" in entry.read_text() and "scale web=2" in entry.read_text()


def test_nothing_is_read_that_another_app_owns() -> None:
    store = MemoryStore()
    ledger = ledger_over(store)
    ledger.create_app("shop", space="s")
    ledger.create_app("shop-2", space="s")
    ledger.new_release("shop-2", draft())
    seen: list[Op] = []
    store.before = seen.extend
    assert [entry.release.number for entry in ledger.releases("shop")] == [1]
    assert not [op for op in seen if "shop-2" in repr(op)]
