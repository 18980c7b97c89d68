"""A space of hosts that only remember what they were asked: for operations that talk to databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deployer.errors.addons import DatabaseGone
from deployer.model.space import Host, Space
from deployer.operations.session import OpenSpace
from deployer.store.base import Store
from deployer.store.ledger import Ledger
from tests.store.memory_store import MemoryStore

KEY = "ssh-ed25519 AAAA"
ROUTERS: dict[str, dict[str, Any]] = {"answered": {"answered": None}, "switch": {"reloaded": False}}
SPACE = Space("sandbox", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", "0.1.0")


@dataclass
class FakeHost:
    """Answers like an agent. `before` runs ahead of every call: it may raise what a lost connection would."""

    host: Host
    databases: dict[str, str] = field(default_factory=dict)  # password by name
    trusted: str | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: Callable[[str, Mapping[str, Any]], None] = lambda call, request: None

    def call(
        self, call: str, request: Mapping[str, Any] = {}, on_event: Callable[..., None] = lambda message, data: None
    ) -> dict[str, Any]:
        self.before(call, request)
        self.calls.append((call, dict(request)))
        if call == "ps":
            return {"dynos": [], "memory": 4096}
        if call in ROUTERS:
            return ROUTERS[call]
        return getattr(self, request["do"])(request, on_event) if call == "postgres" else {}

    def ensure(self, request: Mapping[str, Any], on_event: Callable[..., None]) -> dict[str, Any]:
        on_event({"event": "changed", "what": "PostgreSQL 17 cluster"}, b"")
        return {"version": "17", "port": 5432, "ca": "CA", "changed": 1}

    def trust(self, request: Mapping[str, Any], on_event: Callable[..., None]) -> dict[str, Any]:
        self.trusted = request["ca"]
        return {"changed": 1}

    def create(self, request: Mapping[str, Any], on_event: Callable[..., None]) -> dict[str, Any]:
        self.databases[request["name"]] = request["password"]
        return {}

    def drop(self, request: Mapping[str, Any], on_event: Callable[..., None]) -> dict[str, Any]:
        self.databases.pop(request["name"], None)
        return {}

    def info(self, request: Mapping[str, Any], on_event: Callable[..., None]) -> dict[str, Any]:
        if request["name"] not in self.databases:
            raise DatabaseGone(self.host.id, request["name"])
        return {"version": "17.2", "size": 8493747, "tables": 12, "connections": 3, "limit": 20}

    def close(self) -> None:
        pass


class SpaceInMemory(OpenSpace):
    """The lease is renewed in the same memory."""

    def second_store(self) -> Store:
        return self.ledger.store.beneath


def space_of(count: int = 2) -> SpaceInMemory:
    """A space with hosts at 10.0.0.1, 10.0.0.2 ... and nothing in it yet."""
    hosts = [Host(f"host-{n}", n, f"192.168.7.{n}", f"10.0.0.{n}", KEY) for n in range(1, count + 1)]
    sessions: dict[str, Any] = {host.id: FakeHost(host) for host in hosts}
    ledger = Ledger(MemoryStore(), "alice@laptop", lambda: datetime(2026, 9, 30, 14, 5, 6, tzinfo=UTC))
    ledger.save_space(SPACE)
    for host in hosts:
        ledger.save_host(host)
    return SpaceInMemory(SPACE, ledger, sessions["host-1"], lambda host: sessions[host.id])
