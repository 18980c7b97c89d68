"""A shell whose spaces are ledgers in folders, behind hosts that answer from tables."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from deployer.cli.main import run
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.model.app import Current
from deployer.model.formation import Quantity
from deployer.model.release import Release
from deployer.model.slug import Layer, Slug
from deployer.model.space import Host, Pointer, Space
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from deployer.store.wire import answer_to_json, op_from_json
from tests.store.memory_store import MemoryStore

NOW = datetime(2026, 9, 30, 14, 5, 6, tzinfo=UTC)
HOST = Host("host-1", 1, "127.0.0.1", "10.0.0.1", "ssh-ed25519 AAAA")
SLUG = Slug(
    "debian-13-amd64",
    (Layer("app", "aa", 43_400_000, 1),),
    {"web": "gunicorn shop:app", "worker": "./work", "release": "./migrate"},
    ("heroku/python",),
    43_400_000,
    "1a2b3c4d5e6f",
)


ROUTERS = {"answered": {"answered": None}, "switch": {"reloaded": False}}


@dataclass
class FakeHost:
    """One host at the seam of `remote`: answers calls from a table and keeps what it was asked."""

    answers: dict[str, Any] = field(default_factory=lambda: {"ps": {"dynos": [], "memory": 4096}, **ROUTERS})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    host: Host = HOST
    backups: MemoryStore = field(default_factory=MemoryStore)  # their records

    def call(self, call: str, request: Mapping[str, Any] = {}, on_event: Any = None) -> Any:
        if call == "store" and request.get("backups"):
            found = self.backups.batch([op_from_json(op) for op in request["ops"]])
            return {"now": found.now, "at": found.at, "answers": [answer_to_json(one) for one in found.answers]}
        self.asked.append((call, dict(request)))
        return self.answers.get(call, {})

    def second(self) -> FakeHost:
        return self

    def close(self) -> None:
        self.asked.append(("close", {}))

    def end_agent(self) -> None:
        pass


@dataclass
class Machine:
    """A person's machine: a folder to work in, spaces that it knows, a terminal where `answer` is given."""

    folder: Path
    stores: Path
    host: FakeHost = field(default_factory=FakeHost)
    env: dict[str, str] = field(default_factory=dict)
    answer: str | None = None
    out: str = ""
    err: str = ""
    coloured: bool = False
    asked: list[str] = field(default_factory=list)

    def ledger(self, space: str = "sandbox") -> Ledger:
        """The ledger of a space."""
        return Ledger(FolderStore(self.stores / space), "alice@laptop", lambda: NOW)

    def add_space(self, name: str = "sandbox") -> Ledger:
        """A space that this machine knows, with one host."""
        ledger = self.ledger(name)
        ledger.save_space(Space(name, "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", "0.1.0"))
        ledger.save_host(HOST)
        return ledger

    def names(self) -> list[str]:
        return sorted(path.name for path in self.stores.iterdir())

    def load(self, name: str) -> Pointer:
        return Pointer(name, "sandbox", HOST, "/nowhere/key")

    @contextmanager
    def open_space(self, pointer: Pointer) -> Iterator[OpenSpace]:
        ledger = self.ledger(pointer.name)
        session = cast(Session, self.host)
        yield OpenSpace(ledger.space(), ledger, session, lambda host: session)

    def run(self, *words: str) -> int:
        """Type `deployer WORDS`; the exit status. What it printed is in `out` and `err`."""
        out, err = io.StringIO(), io.StringIO()
        shell = Shell(
            output=Output(out, err, self.coloured, self.coloured),
            env=self.env,
            folder=self.folder,
            pointers=self,
            open_space=self.open_space,
            ask=None if self.answer is None else self._ask,
            now=lambda: NOW,
        )
        status = run(words, shell)
        self.out, self.err = out.getvalue(), err.getvalue()
        return status

    def shown(self, *words: str) -> str:
        """A transcript of a command, for golden files."""
        status = self.run(*words)
        return f"$ deployer {' '.join(words)}\n--- stdout\n{self.out}--- stderr\n{self.err}--- exit status {status}\n"

    def _ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        assert self.answer is not None
        return self.answer


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an empty folder and no space."""
    (tmp_path / "work").mkdir()
    (tmp_path / "stores").mkdir()
    return Machine(tmp_path / "work", tmp_path / "stores")


@pytest.fixture
def sandbox(machine: Machine) -> Machine:
    """A machine with an empty space `sandbox`."""
    machine.add_space()
    return machine


@pytest.fixture
def deployed(sandbox: Machine) -> Machine:
    """The space `sandbox` with the app `shop`: v1 initial, v2 failed, v3 serving with web=1 and two config vars."""
    ledger = sandbox.ledger()
    ledger.create_app("shop", space="sandbox")
    release(ledger, {"OLD": "1"}, "Deploy 00000000", failed="The release command of v2 failed with exit status 1.")
    release(ledger, {"DEBUG": "false", "MOTTO": "it's\n$5"}, "Deploy 1a2b3c4d")
    return sandbox


def release(ledger: Ledger, config: dict[str, str], description: str, *, failed: str | None = None) -> Release:
    """A release of `shop` with the fixture's slug; committed unless it failed."""
    state = ledger.state("shop")
    assert state is not None and state.current is not None
    made = ledger.new_release(
        "shop",
        Release(0, ledger.save_slug(SLUG), ledger.save_config("shop", config), description, "", "", commit=SLUG.commit),
    )
    ledger.end_release("shop", made.number, failed)
    if failed is None:
        app = replace(state.app, formation={"web": Quantity(1), "worker": Quantity(0)})
        ledger.commit(state, app, Current(made.number, state.current.generation + 1))
    return made
