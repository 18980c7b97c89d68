"""Open spaces, over a real sshd and real agents below a folder of the test's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from deployer.errors.lease import LeaseHeld
from deployer.errors.ledger import SpaceEmpty, ToolTooOld
from deployer.errors.remote import HostUnreachable
from deployer.errors.store import StoreAlone
from deployer.model.space import Host, Pointer, Space
from deployer.operations.session import open_space
from deployer.remote import ssh
from deployer.remote.agent import Session
from deployer.store.folder import FolderStore
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.version import VERSION, is_older
from tests.remote.agents_here import Sshd, free_port, sshd

SPACE = Space("sandbox", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", VERSION)


@dataclass
class Place:
    """Hosts that are folders behind one sshd."""

    server: Sshd
    folder: Path
    dialled: list[str] = field(default_factory=list)

    def dial(self, host: Host) -> Session:
        self.dialled.append(host.id)
        root = self.folder / host.id
        root.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            (root / "agent").symlink_to(self.folder / "agent")  # one installation for all
        return Session(host, ssh.connect(host, self.server.identity), root=str(root))

    def host(self, number: int) -> Host:
        return replace(self.server.host, id=f"h{number}", seat=number)

    @property
    def pointer(self) -> Pointer:
        return Pointer("sandbox", "sandbox", self.host(1), str(self.server.identity))

    @property
    def ledger(self) -> Ledger:
        return Ledger(FolderStore(self.folder / "h1" / "store"), "test")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agents")


@pytest.fixture
def place(server: Sshd, tmp_path: Path, installed: Path) -> Place:
    (tmp_path / "agent").symlink_to(installed)
    return Place(server, tmp_path)


pytestmark = pytest.mark.edge


def test_a_space_that_was_never_made_says_so(place: Place) -> None:
    with pytest.raises(SpaceEmpty), open_space(place.pointer, place.dial):
        pass


def test_the_ledger_of_a_space_is_its_first_hosts(place: Place) -> None:
    place.ledger.save_space(SPACE)
    with open_space(place.pointer, place.dial) as space:
        assert space.space == SPACE
        space.ledger.create_app("shop", space="sandbox")
        state = space.ledger.state("shop")
    assert state == place.ledger.state("shop")
    assert place.dialled == ["h1"], "other hosts are dialled when they are needed"


def test_all_hosts_are_dialled_once_and_listed_by_seat(place: Place) -> None:
    place.ledger.save_space(SPACE)
    for number in (3, 1, 2):
        place.ledger.save_host(place.host(number))
    with open_space(place.pointer, place.dial) as space:
        assert [session.host.id for session in space.sessions] == ["h1", "h2", "h3"]
        assert [session.call("facts")["epoch"] for session in space.sessions] == [0, 0, 0]
    assert sorted(place.dialled) == ["h1", "h2", "h3"]


def test_a_host_that_does_not_answer_is_named(place: Place) -> None:
    place.ledger.save_space(SPACE)
    place.ledger.save_host(place.host(1))
    place.ledger.save_host(replace(place.host(2), port=free_port()))
    with open_space(place.pointer, place.dial) as space, pytest.raises(HostUnreachable, match="h2"):
        _ = space.sessions


def test_what_is_written_in_a_space_of_two_hosts_is_held_by_both(place: Place) -> None:
    place.ledger.save_space(SPACE)
    for number in (1, 2):
        place.ledger.save_host(place.host(number))
    with open_space(place.pointer, place.dial) as space:
        space.ledger.create_app("shop", space="sandbox")
    copy = Ledger(FolderStore(place.folder / "h2" / "store-copy"), "test")
    assert copy.state("shop") == place.ledger.state("shop")


def test_nothing_is_written_while_no_other_host_answers_unless_somebody_decides_so(place: Place) -> None:
    place.ledger.save_space(SPACE)
    place.ledger.save_host(place.host(1))
    place.ledger.save_host(replace(place.host(2), port=free_port()))
    with open_space(place.pointer, place.dial) as space:
        assert space.ledger.apps() == ()
        with pytest.raises(StoreAlone, match="h2: Could not reach host h2"):
            space.ledger.create_app("shop", space="sandbox")
        assert place.ledger.apps() == ()
        space.decided.add("h2")
        space.ledger.create_app("shop", space="sandbox")
    assert [app.name for app in place.ledger.apps()] == ["shop"]


def test_a_lease_is_renewed_beside_a_connection_that_is_busy(place: Place) -> None:
    place.ledger.save_space(SPACE)
    with (
        open_space(place.pointer, place.dial) as space,
        hold(
            space.ledger.store,
            "app-shop",
            command="deploy",
            wait=None,
            second_store=space.second_store,
            time_to_live=3.0,
            renew_every=0.2,
        ) as held,
    ):
        with space.first.exchange("logs", {"app": "shop", "lines": 1, "follow": True}):
            time.sleep(4)
            first = FolderStore(place.folder / "h1" / "store")
            with (
                pytest.raises(LeaseHeld),
                hold(first, "app-shop", command="x", wait=None, second_store=lambda: first),
            ):
                pass
        held.check()


def test_an_older_tool_may_read_but_not_change(place: Place) -> None:
    place.ledger.save_space(replace(SPACE, tool="99.0"))
    with open_space(place.pointer, place.dial) as space, pytest.raises(ToolTooOld):
        space.begin_change()


def test_a_newer_tool_upgrades_the_hosts_once_and_leaves_its_version_for_older_ones(place: Place) -> None:
    place.ledger.save_space(replace(SPACE, tool="0.0.1"))
    upgraded: list[str] = []
    for _ in range(2):
        with open_space(place.pointer, place.dial) as space:
            space.begin_change(lambda found: upgraded.append(found.space.tool))
    assert place.ledger.space().tool == VERSION
    assert upgraded == ["0.0.1"]


@pytest.mark.parametrize(("ours", "theirs"), [("0.1.0", "0.2.0"), ("0.9", "0.10"), ("1", "1.0.1")])
def test_versions_are_compared_as_numbers(ours: str, theirs: str) -> None:
    assert is_older(ours, theirs) and not is_older(theirs, ours) and not is_older(ours, ours)
