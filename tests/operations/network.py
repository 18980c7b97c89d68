"""Three hosts with real stores and copies below folders of the test's, which answer all else from tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from deployer.errors.base import Failure, HostFailure
from deployer.errors.host import failure
from deployer.errors.remote import HostUnreachable
from deployer.host import epoch, store_call
from deployer.host.paths import Paths
from deployer.model.space import Host, Pointer, Space
from deployer.operations.promote import Plan, Ways, promote
from deployer.operations.session import OpenSpace, open_space
from deployer.remote.agent import Ran, Session
from deployer.spaces import pointers
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from deployer.version import VERSION
from tests.cli.conftest import FakeHost

SPACE = Space("prod", "ssh", "debian-13-amd64", "http://{app}.example/", "2026", VERSION, roll=4, called=4)
POSTGRES = {"ca": "CA", "port": 5432}
TABLE: dict[str, Any] = {
    "ps": {"dynos": [], "memory": 4096},
    "routes": {"routes": []},
    "facts": {"tokens": {}},
    "roll": {},
    "postgres": POSTGRES,
    "switch": {"reloaded": False},
    "ready": "200",
}
CALLS: dict[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
    "store": store_call.store,
    "store_read": store_call.store_read,
    "copy": store_call.copy,
    "copy_promote": store_call.copy_promote,
    "store_retire": store_call.store_retire,
    "raise_epoch": epoch.raise_epoch,
}


@dataclass
class Machine(FakeHost):
    """A host; `breaks` is a call at which its power fails, as often as it is asked."""

    root: Path = Path()
    breaks: str = ""
    epoch: int | None = None

    def run(self, words: Sequence[str], **how: Any) -> Ran:
        """What its router says to the front."""
        return Ran(0, self.answers["ready"], "")

    def call(self, call: str, request: Mapping[str, Any] = {}, on_event: Any = None) -> Any:
        """As the agent's frame does it."""
        asked = {**({} if self.epoch is None else {"epoch": self.epoch}), **request}
        if call == self.breaks:
            raise unreachable(self.host.id)
        paths = Paths(self.root, self.root / "system")
        try:
            epoch.check_epoch(asked, paths)
            if call == "prepare":
                epoch.learn_epoch(paths, asked["epoch"])
            if call in CALLS:
                return CALLS[call](asked, SimpleNamespace(paths=paths))
        except HostFailure as failed:
            raise failure(self.host.id, failed.code, failed.details) from failed
        return super().call(call, request, on_event)


@dataclass
class Network:
    """Three hosts, the first one with the ledger, and those of them that are silent; `tables` are what they answer, if
    not as TABLE, by id; `machines` are all that were dialled."""

    folder: Path
    silent: dict[str, Failure] = field(default_factory=dict)
    breaks: dict[str, str] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    machines: list[Machine] = field(default_factory=list)

    def dial(self, host: Host) -> Session:
        if host.id in self.silent:
            raise self.silent[host.id]
        table = {**TABLE, **self.tables.get(host.id, {})}
        machine = Machine(table, host=host, root=self.folder / host.id, breaks=self.breaks.get(host.id, ""))
        self.machines.append(machine)
        return cast(Session, machine)

    def lose(self, *names: str) -> None:
        """They do not answer any more."""
        self.silent |= {name: unreachable(name) for name in names}

    @contextmanager
    def open(self, pointer: Pointer | None = None) -> Iterator[OpenSpace]:
        """The space, as the next command of this laptop finds it."""
        with open_space(pointer or pointers.load("prod"), self.dial) as space:
            yield space

    def promote(self, name: str, pointer: Pointer | None = None, leave_out: tuple[str, ...] = ()) -> None:
        ways = Ways(lambda pointer: self.dial, self.open, leave_out)
        promote(pointer or pointers.load("prod"), name, ways, self.plans.append, lambda event: None, lambda s: None)

    def ledger(self, name: str) -> Ledger:
        """What a host has in its store."""
        return Ledger(FolderStore(self.folder / name / "store"), "test")


def host(number: int) -> Host:
    return Host(f"h{number}", number, f"192.0.2.{number}", f"10.0.0.{number}", "ssh-ed25519 AAAA")


def unreachable(name: str) -> HostUnreachable:
    return HostUnreachable(name, "192.0.2.1", 22, "No route to host")
