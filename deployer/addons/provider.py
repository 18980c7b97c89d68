"""What every kind of add-on offers: plans as data, and the four things that its provider can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployer.model.addon import Addon
from deployer.model.events import Tell
from deployer.remote.agent import Session

HOURS_A_MONTH = 720  # as Heroku's price lines reckon: $5 a month is ~$0.007 an hour


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of a service. `cents` is what it adds to the bill a month. `limits` are by what they limit: `connections`,
    `storage` in bytes, `tables`, `rows`. `size` is the kind of RDS instance that an add-on of it has to itself, in
    spaces in AWS; empty where add-ons live on what is there."""

    name: str
    cents: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    retired: bool = False  # Heroku no longer sells it; it works here for the files that still name it
    size: str = ""

    @property
    def price(self) -> str:
        """As Heroku's `addons:create` says it: `~$0.007/hour (max $5/month)` or `free`; what AWS bills differs by
        region."""
        if self.size:
            return "billed by AWS"
        if not self.cents:
            return "free"
        dollars = self.cents / 100
        return f"~${dollars / HOURS_A_MONTH:.3f}/hour (max ${dollars:g}/month)"


@dataclass(frozen=True, slots=True)
class Managed:
    """A server that the cloud runs: where it is, who makes things on it, whose certificates it is verified by, as PEM,
    and how many bytes it has room for; 0 where nobody knows."""

    address: str
    port: int
    user: str
    password: str = field(repr=False)
    authorities: str = field(repr=False)
    storage: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an add-on lives: on the host of a session, or on a managed server, which that host reaches."""

    session: Session
    managed: Managed | None = None


class Provider(Protocol):
    """A service that apps can have as an add-on. Nothing here knows the ledger: the operation writes before each step,
    and every step can be repeated."""

    @property
    def service(self) -> str:
        """`heroku-postgresql`"""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of the service."""
        ...

    @property
    def title(self) -> str:
        """`Heroku Postgres`: as listings say it."""
        ...

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans, the default one first."""
        ...

    @property
    def noun(self) -> str:
        """What add-ons are named after: `postgresql` makes `postgresql-shaped-12345`."""
        ...

    @property
    def attachment(self) -> str:
        """The name that an app's first add-on of this service is attached as: `DATABASE`."""
        ...

    @property
    def colour_prefix(self) -> str | None:
        """What stands before the colour that tells several apart: `HEROKU_POSTGRESQL`; None where there is only one."""
        ...

    def draft(self) -> dict[str, str]:
        """Facts of a new add-on, made before anything exists: names and passwords."""
        ...

    def provision(
        self, place: Place, sessions: Sequence[Session], addon: Addon, plan: Plan, tell: Tell
    ) -> dict[str, str]:
        """Have what the add-on's facts say, there, for all hosts; its config vars by suffix (`URL`)."""
        ...

    def deprovision(self, place: Place, addon: Addon) -> None:
        """Have it no more."""
        ...

    def info(self, place: Place, addon: Addon) -> dict[str, Any]:
        """What it is like now."""
        ...
