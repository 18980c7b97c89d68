"""One app's part of the routers' configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_SLOTS = 10


@dataclass(frozen=True, slots=True)
class Server:
    """A dyno that takes requests. `slot` is its name in log lines (`web.1`)."""

    slot: str
    address: str
    port: int
    instance: str


@dataclass(frozen=True, slots=True)
class Routes:
    """`generation` grows with every change; a router ignores older ones. `intent` is none (no web dynos), running
    or maint: whether a dyno lives is seen by the router's own checks. `redirect` sends HTTP to HTTPS for domains whose
    certificate is in force."""

    app: str
    generation: int
    domains: tuple[str, ...]
    intent: str
    servers: tuple[Server, ...]
    redirect: bool = True
    schema: int = 1

    @property
    def slots(self) -> int:
        """Fixed server slots of the backend: a change within them needs no reload."""
        wanted = max((int(server.slot.rpartition(".")[2]) for server in self.servers), default=0)
        return max(MIN_SLOTS, -(-wanted // MIN_SLOTS) * MIN_SLOTS)

    def local_to(self, address: str) -> Routes:
        """Those to the dynos of one host, for its own router: where hosts have no private network between them."""
        servers = tuple(replace(s, address="127.0.0.1") for s in self.servers if s.address == address)
        intent = "none" if self.intent == "running" and not servers else self.intent
        return replace(self, servers=servers, intent=intent)
