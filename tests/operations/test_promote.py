"""Making another host the first one, when the first is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.cli.hosts import promotion_lines
from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.hosts import (
    FirstHostAnswers,
    FirstHostAway,
    FirstHostMoved,
    HostHasDatabases,
    HostIsLeftOut,
    NoCopyLeft,
    OthersMustAnswer,
    PromotionUnfinished,
)
from deployer.errors.remote import AuthenticationRefused, HostKeyChanged, HostUnreachable
from deployer.errors.spaces import NoSuchHost
from deployer.model.addon import Addon
from deployer.model.codec import encode
from deployer.model.lease import Lease
from deployer.model.routes import Routes, Server
from deployer.model.space import Pointer, StoreAddress
from deployer.operations.attendance import attend
from deployer.operations.phases import survey
from deployer.operations.promote import Plan, Ways, promote
from deployer.operations.session import Absence, OpenSpace
from deployer.spaces import pointers
from deployer.store import keys, record
from deployer.store.base import Get, Stored
from deployer.store.entries import AuditEntry
from deployer.store.folder import FolderStore
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from tests.cli.conftest import release
from tests.operations.network import SPACE, Network, host

WEB = "shop.web.1.v2"


def addon(name: str, at: str) -> Addon:
    url = f"postgresql://u1:secret@{at}:5432/u1?sslmode=verify-full"
    return Addon(name, "heroku-postgresql", "essential-0", "shop", "2026", "provisioned", {"URL": url})


@pytest.fixture
def network(tmp_path: Path) -> Network:
    network = Network(tmp_path)
    for number in (1, 2, 3):
        (tmp_path / f"h{number}").mkdir()
        (tmp_path / f"h{number}/epoch").write_text("1\n")
    ledger = network.ledger("h1")
    ledger.save_space(SPACE)
    for number in (1, 2, 3):
        ledger.save_host(host(number))
    pointers.save(Pointer("prod", "ssh", host(1), ""))
    with network.open() as space:
        space.dial()
        space.ledger.save_addon(addon("flat", "10.0.0.1"))
        space.ledger.save_addon(addon("round", "10.0.0.2"))
        space.ledger.audit("config:set A=1", "shop")
    return network


def test_a_pointer_knows_the_hosts_and_the_epoch_of_its_space(network: Network) -> None:
    assert pointers.load("prod") == Pointer("prod", "ssh", host(1), "", hosts=(host(1), host(2), host(3)), epoch=1)


def test_the_ledger_goes_on_from_the_copy_and_the_lost_host_is_left_out(network: Network) -> None:
    network.lose("h1")
    network.promote("h2")
    (plan,) = network.plans
    assert (plan.host.id, plan.lost.id, [one.name for one in plan.addons]) == ("h2", "h1", ["flat"])
    assert plan.last and plan.last.what == "config:set A=1"
    assert (plan.without, plan.doubtful) == ((), "")
    pointer = pointers.load("prod")
    assert (pointer.first, pointer.epoch) == (host(2), 2)
    with network.open() as space:
        assert (space.moved_from, space.space.epoch, space.space.first) == ("", 2, "h2")
        assert [session.host.id for session in space.sessions] == ["h2", "h3"]
        assert (space.space.roll, space.space.called, space.ledger.hosts()[0].out) == (5, 5, 5)
        space.ledger.audit("x")
    copy = FolderStore(network.folder / "h3" / "store-copy").everything()[1]
    assert copy == FolderStore(network.folder / "h2" / "store").everything()[1], (
        "and another host holds what is written"
    )


def test_apps_answer_at_a_name_that_says_the_new_address_where_it_said_the_old_one(network: Network) -> None:
    with network.open() as space:
        space.ledger.save_space(replace(SPACE, url="http://{app}.192-0-2-1.sslip.io/"))
        space.ledger.create_app("shop", space="prod")
        release(space.ledger, {}, "Deploy")
    routes = Routes("shop", 2, ("shop.192-0-2-1.sslip.io",), "running", (Server("web.1", "10.0.0.2", 7000, WEB),))
    web = {"instance": WEB, "app": "shop", "type": "web", "size": "Basic", "port": 7000, "state": "up"}
    network.tables["h2"] = {"ps": {"dynos": [web], "memory": 4096}, "routes": {"routes": [encode(routes)]}}
    network.lose("h1")
    network.promote("h2")
    assert network.ledger("h2").space().app_url("shop") == "http://shop.192-0-2-2.sslip.io/"
    switched = {m.host.id: r["routes"] for m in network.machines for call, r in m.asked if call == "switch"}
    domains = {name: found["domains"] for name, found in switched.items()}
    assert domains == {name: ["shop.192-0-2-2.sslip.io"] for name in ("h2", "h3")}


def test_leases_of_commands_that_no_host_obeys_are_free(network: Network) -> None:
    with (
        network.open() as space,
        hold(space.ledger.store, "app-shop", command="deploy", wait=None, second_store=space.second_store) as held,
    ):
        token = held.token
        network.lose("h1")
        network.promote("h2")
    found = FolderStore(network.folder / "h2" / "store").batch([Get(keys.lease("app-shop"))]).answers[0]
    assert isinstance(found, Stored)
    assert record.load(Lease, found) == Lease(token), "and its number goes on"


def test_the_copy_that_has_everything_may_be_on_another_host_than_the_one_that_is_named(network: Network) -> None:
    network.lose("h2")
    with network.open() as space:
        space.dial()
        space.ledger.save_addon(addon("late", "10.0.0.1"))
    network.silent.clear()
    network.lose("h1")
    network.promote("h2")
    assert network.ledger("h2").addon("late") is not None


def test_it_is_refused_while_the_first_host_answers(network: Network) -> None:
    with pytest.raises(FirstHostAnswers, match="h1 is the first host of prod, and answers"):
        network.promote("h2")
    network.silent["h1"] = AuthenticationRefused("h1", "root", "192.0.2.1", 22, "/key")
    with pytest.raises(AuthenticationRefused):
        network.promote("h2")
    assert network.plans == []


def test_a_first_host_that_is_another_machine_now_is_lost(network: Network) -> None:
    network.silent["h1"] = HostKeyChanged("h1", "192.0.2.1", 22, "known", "found")
    network.promote("h2")
    assert pointers.load("prod").first == host(2)


def test_every_other_host_that_counts_must_answer(network: Network) -> None:
    network.lose("h1", "h3")
    with pytest.raises(OthersMustAnswer, match="h2 was not made the first host: no answer from h3"):
        network.promote("h2")
    assert network.plans == [] and (network.folder / "h2" / "epoch").read_text() == "1\n"
    network.promote("h2", leave_out=("h3",))
    assert network.plans[0].without == ("h3",)
    assert {one.id for one in network.ledger("h2").hosts() if one.out} == {"h1", "h3"}


def test_one_that_is_left_out_need_not_answer_and_cannot_be_the_first(network: Network) -> None:
    network.lose("h3")
    with network.open() as space:
        space.absence = Absence(("h3",))
        attend(space, lambda event: None, pause=lambda seconds: None)
    network.lose("h1")
    with pytest.raises(HostIsLeftOut):
        network.promote("h3")
    network.promote("h2")
    assert {one.id for one in network.ledger("h2").hosts() if one.out} == {"h1", "h3"}


@pytest.mark.parametrize(("name", "kind"), [("h1", FirstHostAway), ("h9", NoSuchHost)])
def test_who_cannot_be_the_first(network: Network, name: str, kind: type[Failure]) -> None:
    network.lose("h1")
    with pytest.raises(kind):
        network.promote(name)


def test_a_copy_is_doubtful_where_its_host_has_heard_that_it_is_left_out(network: Network) -> None:
    network.tables["h2"] = {"ready": "503"}
    network.lose("h1")
    network.promote("h2")
    assert network.plans[0].doubtful == "h2"


def test_hosts_that_this_laptop_has_never_heard_of_are_in_the_copy(network: Network) -> None:
    network.lose("h1")
    network.promote("h2", replace(pointers.load("prod"), hosts=(host(2),), epoch=0))
    assert [one.id for one in pointers.load("prod").hosts] == ["h1", "h2", "h3"]


def test_without_a_copy_there_is_nothing_to_go_on_from(network: Network) -> None:
    for name in ("h2", "h3"):
        (network.folder / name / "store-copy" / ".at").unlink(missing_ok=True)
    network.lose("h1")
    with pytest.raises(NoCopyLeft, match="Asked: h2, h3"):
        network.promote("h2")


@pytest.mark.parametrize("point", ["raise_epoch", "copy_promote"])
def test_cut_off_before_the_copy_becomes_the_ledger_the_same_command_goes_on(network: Network, point: str) -> None:
    network.lose("h1")
    network.breaks["h2"] = point
    with pytest.raises(HostUnreachable):
        network.promote("h2")
    with pytest.raises(FirstHostAway), network.open():
        pass
    network.breaks.clear()
    network.promote("h2")
    assert network.ledger("h2").space().epoch == 3, "h3 knew 2 already"
    with network.open() as space:
        assert space.space.first == "h2"


def test_cut_off_behind_it_the_next_command_of_any_laptop_goes_on(network: Network) -> None:
    old = pointers.load("prod")
    network.lose("h1")
    network.breaks["h3"] = "roll"
    with pytest.raises(HostUnreachable):
        network.promote("h2")
    network.breaks.clear()
    with network.open(old) as space:
        assert space.moved_from == "h1"
        attend(space, lambda event: None, pause=lambda seconds: None)
        assert space.space.called == space.space.roll == 5
    network.promote("h2")
    assert pointers.load("prod").first == host(2)


def test_cut_off_and_the_first_host_is_there_after_all(network: Network) -> None:
    """The hosts obey an epoch that no ledger has: it is said, and the old first host can be made the first again."""
    network.lose("h1")
    network.breaks["h2"] = "copy_promote"
    with pytest.raises(HostUnreachable):
        network.promote("h2")
    network.silent.clear()
    network.breaks.clear()
    with pytest.raises(PromotionUnfinished, match="h1 --space prod"), network.open() as space:
        space.ledger.audit("x")
    network.promote("h1")
    with network.open() as space:
        space.ledger.audit("y")
        assert (space.space.epoch, space.first.host.id) == (3, "h1")
    with pytest.raises(FirstHostAnswers):
        network.promote("h2")


def test_a_laptop_whose_first_host_came_back_is_refused_and_then_knows_better(network: Network) -> None:
    old = pointers.load("prod")
    network.lose("h1")
    network.promote("h2")
    network.silent.clear()
    pointers.save(old)
    with pytest.raises(FirstHostMoved, match="h2 is the first host of prod now, no longer h1"), network.open() as space:
        survey(space, "shop")  # both of the others refuse
    assert pointers.load("prod").first == host(2)
    pointers.save(old)
    with pytest.raises(FirstHostMoved), network.open() as space:
        space.ledger.audit("x")
    assert "x" not in [entry.what for entry in audits(network, "h2")]


def test_the_old_first_host_comes_back_as_a_host_like_others(network: Network) -> None:
    old = pointers.load("prod")
    network.lose("h1")
    network.promote("h2")
    network.silent.clear()
    with network.open() as space:
        attend(space, lambda event: None, pause=lambda seconds: None)
        assert [session.host.id for session in space.sessions] == ["h1", "h2", "h3"]
        space.ledger.audit("x")
    root = network.folder / "h1"
    assert not (root / "store" / "space").exists() and (root / "store-old" / "space").exists()
    assert (root / "epoch").read_text() == "2\n"
    pointers.save(old)
    with network.open() as space:
        assert (space.first.host.id, space.moved_from) == ("h2", "h1")
    network.lose("h2")
    network.promote("h1")
    assert network.ledger("h1").space().epoch == 3
    assert "hosts:promote h1" in [entry.what for entry in audits(network, "h1")]


def test_an_old_first_host_that_came_back_does_not_take_the_place_of_a_lost_newer_one(network: Network) -> None:
    network.lose("h1")
    network.promote("h2")
    network.silent.clear()
    network.lose("h2")
    with pytest.raises(HostIsLeftOut):
        network.promote("h1")
    network.promote("h3")
    assert pointers.load("prod").first == host(3)
    assert network.ledger("h3").space().epoch == 3


def test_of_several_commands_that_still_obey_the_old_one_none_is_acknowledged(network: Network) -> None:
    with network.open() as late:
        network.lose("h1")
        network.promote("h2")
        with pytest.raises(OldEpoch):
            late.ledger.audit("late")
        network.silent.clear()
        with pytest.raises(OldEpoch):
            late.ledger.audit("later")
    assert {entry.what for entry in audits(network, "h2")} == {"config:set A=1", "hosts:promote h2"}


def test_with_the_ledger_elsewhere_only_who_is_first_changes(tmp_path: Path) -> None:
    ledger = Ledger(FolderStore(tmp_path / "s3"), "test")
    ledger.save_space(SPACE)
    for number in (1, 2):
        ledger.save_host(host(number))
    network = Network(tmp_path)
    pointer = Pointer("prod", "ssh", host(1), "", store=StoreAddress("bucket"))
    pointers.save(pointer)

    @contextmanager
    def opened(pointer: Pointer) -> Iterator[OpenSpace]:
        yield OpenSpace(ledger.space(), ledger, None, network.dial)

    def type_it() -> None:
        ways = Ways(lambda pointer: network.dial, opened)
        promote(pointer, "h2", ways, network.plans.append, lambda event: None, lambda seconds: None)

    with pytest.raises(FirstHostAnswers):
        type_it()
    network.lose("h1")
    type_it()
    assert [plan.lost.id for plan in network.plans] == ["h1"]
    assert (ledger.space().first, ledger.space().epoch, ledger.hosts()[0].out) == ("h2", 1, 5)
    network.silent.clear()
    with opened(pointer) as space:
        attend(space, lambda event: None, pause=lambda seconds: None)
        assert space.first.host.id == "h2" and len(space.sessions) == 2
    type_it()
    assert len(network.plans) == 1 and pointers.load("prod").first == host(2)


def audits(network: Network, name: str) -> list[AuditEntry]:
    """What a host's ledger says was done."""
    store = FolderStore(network.folder / name / "store")
    bodies = store.everything()[1]
    return [record.load(AuditEntry, Stored(bodies[key], "")) for key in bodies if key.startswith(keys.AUDIT)]


def test_what_is_asked(golden: Callable[[str, str], None]) -> None:
    last = AuditEntry("ada@laptop", "config:set COLOUR", "shop", "2026-11-25T02:10:11Z")
    asked = Plan(SPACE, host(2), host(1), (addon("postgresql-flat-123", "10.0.0.1"),), last)
    at_address = replace(SPACE, url="http://{app}.192-0-2-1.sslip.io/")
    other = replace(asked, space=at_address, addons=(), last=None, without=("h3",), doubtful="h2")
    texts = [promotion_lines(asked), promotion_lines(other)]
    golden("commands/promotion.txt", "\n".join("\n".join(lines) for lines in texts))


WORDS: dict[str, Failure] = {
    "first-away": FirstHostAway("prod-h1", "prod", "192.0.2.1 port 22: No route to host", "prod-h2"),
    "first-answers": FirstHostAnswers("prod-h1", "prod", "prod-h2"),
    "has-databases": HostHasDatabases("prod-h1", "postgresql-flat-123 of ⬢ shop"),
    "is-left-out": HostIsLeftOut("prod-h2", "prod-h3"),
    "others-must-answer": OthersMustAnswer(
        "prod-h2", "prod-h3", "prod-h3: Could not reach host prod-h3.", "--leave-out prod-h3"
    ),
    "no-copy-left": NoCopyLeft("prod", "prod-h2, prod-h3"),
    "first-moved": FirstHostMoved("prod", "prod-h1", "prod-h2"),
    "promotion-unfinished": PromotionUnfinished("prod", "prod-h1", "prod-h2"),
}


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/hosts/{name}.txt", f"{WORDS[name]}\n")
