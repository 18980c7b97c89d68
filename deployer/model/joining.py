"""What hosts of AWS and people's machines leave for each other in a space's store (docs/aws-hosts.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

from deployer.model.routes import Routes


@dataclass(frozen=True, slots=True)
class AgentRef:
    """`agent/current`: the agent that hosts run. `name` is the bundle's, `sha256` that of its archive, in hex; `tool`
    the version of deployer that it belongs to."""

    name: str
    sha256: str
    tool: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Access:
    """`access/keys`: OpenSSH public key lines that open every host, by whose they are (`ada@laptop`)."""

    keys: dict[str, str] = field(default_factory=dict)
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """A dyno of a host: its instance (`shop.web.1.v3`), its size, and its port where it takes requests."""

    instance: str
    size: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class HostState:
    """`hosts/USERID/state`: the dynos that are in force on a host, what is left of its memory for dynos (MiB), and the
    routes of its router. One that is `leaving` has given its seat up, and serves until others do."""

    host: str
    memory: int
    dynos: tuple[Standing, ...] = ()
    routes: tuple[Routes, ...] = ()
    leaving: bool = False
    schema: int = 1


@dataclass(frozen=True, slots=True)
class JoinFailure:
    """`hosts/USERID/failed`: why the last join failed, when (ISO 8601, UTC), and at which step."""

    host: str
    at: str
    step: str
    reason: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class JoinOrder:
    """The request of the calls `join` and `converge`, and what user data holds: where the store is, and the space.
    `endpoint` is None for AWS itself; `has_front` says that a load balancer stands
    before the hosts; otherwise `address` is the allocation of the space's Elastic IP, where it is known. `metadata` is
    where an emulator's instances find theirs: it counts only beside an `endpoint`."""

    space: str
    bucket: str
    region: str
    has_front: bool
    endpoint: str | None = None
    address: str | None = None
    metadata: str | None = None
    schema: int = 1
