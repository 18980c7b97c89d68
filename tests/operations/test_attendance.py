"""Who answers before a change, who is left out, who counts again. Hosts answer from tables over a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from deployer.errors.base import Failure
from deployer.errors.hosts import FirstHostStays, HostsDoNotAnswer, RollChanged
from deployer.errors.lease import LeaseHeld
from deployer.errors.remote import HostKeyChanged, HostUnreachable
from deployer.model.app import App, Current
from deployer.model.dyno import parse_instance
from deployer.model.events import Event, Warn
from deployer.model.formation import Quantity
from deployer.model.routes import Routes, Server
from deployer.model.space import Host, Space
from deployer.operations.attendance import NOTICE, attend, check_unchanged
from deployer.operations.joining import kept
from deployer.operations.removal import removing
from deployer.operations.session import Absence, OpenSpace
from deployer.remote.agent import Session
from deployer.store.folder import FolderStore
from deployer.store.ledger import AppState, Ledger
from deployer.version import VERSION
from tests.cli.conftest import FakeHost

SPACE = Space("big", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", VERSION, roll=4, called=4)
ANSWERS = {"ps": {"dynos": [], "memory": 4096}, "routes": {"routes": []}, "facts": {"tokens": {}}, "roll": {}}


@dataclass
class Hosts:
    """Three hosts; `silent` ones fail to be dialled as said there."""

    ledger: Ledger
    silent: dict[str, Failure] = field(default_factory=dict)
    machines: dict[str, FakeHost] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    during_pause: Callable[[], None] = lambda: None

    def dial(self, host: Host) -> Session:
        if host.id in self.silent:
            raise self.silent[host.id]
        return cast(Session, self.machines.setdefault(host.id, FakeHost(dict(ANSWERS), host=host)))

    def open(self, absence: Absence | None = None) -> OpenSpace:
        """As the next command finds the space."""
        hosts = self.ledger.hosts()
        return OpenSpace(self.ledger.space(), self.ledger, self.dial(hosts[0]), self.dial, absence=absence or Absence())

    def attend(self, absence: Absence | None = None) -> OpenSpace:
        space = self.open(absence)
        attend(space, self.told.append, pause=self._pause)
        return space

    def rolls(self, name: str) -> list[dict[str, Any]]:
        """What a host was told of who counts."""
        return [request["roll"] for call, request in self.machines[name].asked if call == "roll"]

    def out(self) -> dict[str, int]:
        """Who is left out, since when."""
        return {host.id: host.out for host in self.ledger.hosts() if host.out}

    def state(self) -> AppState:
        """What the ledger says of the app."""
        found = self.ledger.state(STATE.app.name)
        assert found is not None
        return found

    def warnings(self) -> str:
        return "\n".join(event.text for event in self.told if isinstance(event, Warn))

    def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.during_pause()


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    ledger = Ledger(FolderStore(tmp_path / "store"), "test")
    ledger.save_space(SPACE)
    for number in (1, 2, 3):
        ledger.save_host(Host(f"h{number}", number, f"192.0.2.{number}", f"10.0.0.{number}", "none"))
    return Hosts(ledger)


def unreachable(name: str) -> HostUnreachable:
    return HostUnreachable(name, "192.0.2.2", 22, "No route to host")


def test_all_hosts_answer_and_nobody_is_told_anything(hosts: Hosts) -> None:
    hosts.attend()
    assert (hosts.told, hosts.rolls("h1"), hosts.ledger.space()) == ([], [], SPACE)


def test_without_a_decision_nothing_changes_and_the_ways_on_are_named(
    hosts: Hosts, golden: Callable[[str, str], None]
) -> None:
    hosts.silent = {name: unreachable(name) for name in ("h2", "h3")}
    with pytest.raises(HostsDoNotAnswer) as refused:
        hosts.attend()
    golden("errors/hosts/do-not-answer.txt", f"{refused.value}\n")
    assert (hosts.ledger.space(), hosts.out(), hosts.rolls("h1")) == (SPACE, {}, [])


@pytest.mark.parametrize(("answer", "asked"), [("abort", 1), ("leave out", 1)])
def test_who_sits_at_a_terminal_decides(hosts: Hosts, answer: str, asked: int) -> None:
    hosts.silent = {"h2": unreachable("h2")}
    questions: list[list[str]] = []

    def ask(missing: Any) -> str:
        questions.append([one.host.id for one in missing])
        return answer

    if answer == "abort":
        with pytest.raises(HostsDoNotAnswer):
            hosts.attend(Absence(ask=ask))
    else:
        hosts.attend(Absence(ask=ask))
    assert questions == [["h2"]] * asked
    assert set(hosts.out()) == (set() if answer == "abort" else {"h2"})


def test_one_who_chooses_to_wait_waits_until_it_answers(hosts: Hosts) -> None:
    hosts.silent = {"h2": unreachable("h2")}
    hosts.during_pause = lambda: hosts.silent.clear() if len(hosts.paused) == 3 else None
    hosts.attend(Absence(ask=lambda missing: "wait"))
    assert len(hosts.paused) == 3 and hosts.out() == {}
    assert hosts.warnings() == "Waiting for h2 to answer", "once"


def test_a_host_that_is_left_out_is_known_to_all_others_before_anything_else_happens(hosts: Hosts) -> None:
    hosts.silent = {"h2": unreachable("h2")}
    hosts.attend(Absence(("h2",)))
    assert hosts.out() == {"h2": 5}
    assert (hosts.ledger.space().roll, hosts.ledger.space().called) == (5, 5)
    assert hosts.paused == [NOTICE], "for the host to ask the others, and for the front to ask the host"
    for name, peers in (("h1", ["10.0.0.3"]), ("h3", ["10.0.0.1"])):
        (roll,) = hosts.rolls(name)
        assert (roll["number"], roll["out"], roll["peers"]) == (5, {"h2": 5}, peers)


def test_a_host_that_is_left_out_is_not_asked_about_again(hosts: Hosts) -> None:
    hosts.silent = {"h2": unreachable("h2")}
    hosts.attend(Absence(("h2",)))
    space = hosts.attend()
    assert [session.host.id for session in space.sessions] == ["h1", "h3"]
    assert "Going on without h2, which is left out" in hosts.warnings()


def test_only_who_is_named_is_left_out(hosts: Hosts) -> None:
    hosts.silent = {name: unreachable(name) for name in ("h2", "h3")}
    with pytest.raises(HostsDoNotAnswer) as refused:
        hosts.attend(Absence(("h2",)))
    assert "No answer from h3" in str(refused.value) and hosts.out() == {}


def test_a_host_that_answers_is_not_left_out_whoever_says_so(hosts: Hosts) -> None:
    hosts.attend(Absence(("h2",)))
    assert hosts.out() == {}


def test_a_host_that_answers_again_is_brought_up_to_date_before_it_counts(hosts: Hosts) -> None:
    hosts.silent = {"h2": unreachable("h2")}
    hosts.attend(Absence(("h2",)))
    hosts.silent = {}
    space = hosts.attend()
    assert hosts.out() == {} and len(space.sessions) == 3
    calls = [call for call, _ in hosts.machines["h2"].asked if call in ("prepare", "roll")]
    assert calls == ["prepare", "roll"]
    assert hosts.rolls("h2")[-1] | {"peers": []} == hosts.rolls("h1")[-1] | {"host": "h2", "peers": []}
    assert (hosts.rolls("h1")[-1]["number"], hosts.rolls("h1")[-1]["out"]) == (6, {})


def test_one_that_is_being_removed_comes_back_only_where_that_was_cut_off(hosts: Hosts) -> None:
    host = hosts.ledger.hosts()[1]
    hosts.ledger.save_host(replace(host, out=4, leaving=True))
    with removing(hosts.open(), "h2"):
        hosts.attend()
        assert hosts.out() == {"h2": 4}
        with pytest.raises(LeaseHeld, match=r"is changing h2\."), removing(hosts.open(), "h2"):
            pass
    hosts.attend()
    assert hosts.out() == {}
    assert "h2 stays: its removal was cut off" in hosts.warnings()


def test_a_roll_that_was_taken_and_not_told_is_told_by_the_next_command(hosts: Hosts) -> None:
    hosts.ledger.save_space(replace(SPACE, roll=5))
    hosts.attend()
    assert [roll["number"] for roll in hosts.rolls("h1")] == [5]
    assert hosts.ledger.space().called == 5


def test_hosts_of_a_space_from_before_there_were_rolls_are_told_one(hosts: Hosts) -> None:
    hosts.ledger.save_space(replace(SPACE, roll=0, called=0))
    hosts.attend()
    assert [roll["number"] for roll in hosts.rolls("h3")] == [1]


def test_a_host_with_another_key_is_no_host_that_does_not_answer(hosts: Hosts) -> None:
    hosts.silent = {"h2": HostKeyChanged("h2", "192.0.2.2", 22, "known", "found")}
    with pytest.raises(HostKeyChanged):
        hosts.attend(Absence(ask=lambda missing: "leave out"))


@pytest.mark.parametrize("alone", [False, True])
def test_a_command_that_waited_while_hosts_changed_does_nothing(hosts: Hosts, alone: bool) -> None:
    if alone:  # the first host that is added to a single one changes as much
        for host in hosts.ledger.hosts()[1:]:
            hosts.ledger.forget_host(host)
    hosts.ledger.create_app(STATE.app.name, space=SPACE.name)
    space = hosts.attend()
    check_unchanged(space, hosts.state())
    hosts.open()
    hosts.ledger.save_space(replace(hosts.ledger.space(), roll=9))
    with pytest.raises(RollChanged):
        check_unchanged(space, hosts.state())


STATE = AppState(App("shop", 20001, "2026", formation={"web": Quantity(2), "worker": Quantity(1)}), Current(7, 3))


def test_what_a_host_that_comes_back_goes_on_with() -> None:
    there = [parse_instance(f"shop.{name}") for name in ("web.1.v7", "web.2.v6", "worker.1.v7", "worker.2.v7")]
    routes = Routes("shop", 3, (), "running", (Server("web.1", "10.0.0.2", 7001, "shop.web.1.v7"),))
    assert [one.name for one in kept(STATE, routes, "10.0.0.2", there, set())] == ["web.1", "worker.1"]
    elsewhere = {("shop", "worker.1")}
    assert [one.name for one in kept(STATE, routes, "10.0.0.2", there, elsewhere)] == ["web.1"], "it runs twice"
    assert [one.name for one in kept(STATE, routes, "10.0.0.9", there, elsewhere)] == [], "the routes name another host"
    assert [one.name for one in kept(STATE, None, "10.0.0.2", there, elsewhere)] == []


def test_words(golden: Callable[[str, str], None]) -> None:
    golden("errors/hosts/first-stays.txt", f"{FirstHostStays('sandbox-h1', 'sandbox')}\n")
    golden("errors/hosts/changed.txt", f"{RollChanged('sandbox')}\n")
