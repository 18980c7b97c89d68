"""`heroku-postgresql`: a database and a role of its own on the PostgreSQL of a host, the one that was the space's first
when its first database was made.

Names of plans and their limits are Heroku's. They cost nothing more here: they live on hosts that are paid for
already. The limit of connections is enforced by the server; storage and tables are shown, not enforced.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployer.addons.provider import Plan
from deployer.model.addon import Addon
from deployer.model.events import Changed, Tell
from deployer.remote.agent import OnEvent, Session
from deployer.remote.fan_out import fan_out

GB = 10**9
CA = "/etc/ssl/deployer/space-ca.pem"  # where the agent's `trust` puts it on every host

PLANS = (
    Plan("essential-0", limits={"connections": 20, "storage": 1 * GB, "tables": 4000}),
    Plan("essential-1", limits={"connections": 20, "storage": 10 * GB, "tables": 4000}),
    Plan("essential-2", limits={"connections": 40, "storage": 32 * GB, "tables": 4000}),
    Plan("mini", limits={"connections": 20, "storage": 1 * GB, "tables": 4000}, retired=True),
    Plan("hobby-dev", limits={"connections": 20, "storage": 1 * GB, "tables": 4000}, retired=True),
)


@dataclass(frozen=True, slots=True)
class Postgresql:
    """The provider. An add-on's facts are `name`, of database and role alike, and `password`."""

    service: str = "heroku-postgresql"
    aliases: tuple[str, ...] = ("postgresql", "postgres")
    title: str = "Heroku Postgres"
    plans: tuple[Plan, ...] = PLANS
    noun: str = "postgresql"
    attachment: str = "DATABASE"
    colour_prefix: str | None = "HEROKU_POSTGRESQL"

    def draft(self) -> dict[str, str]:
        """Random names: nothing about an app can be guessed from what the server shows to other roles."""
        return {"name": f"u{secrets.token_hex(8)}", "password": secrets.token_hex(24)}

    def provision(
        self, first: Session, sessions: Sequence[Session], addon: Addon, plan: Plan, tell: Tell
    ) -> dict[str, str]:
        """Have the server, every host's trust in it, the role and its database."""
        port = self.ensure(first, sessions, tell)
        name, password = addon.facts["name"], addon.facts["password"]
        limit = plan.limits["connections"]
        request = {"do": "create", "name": name, "password": password, "connections": limit}
        first.call("postgres", request)
        return {"URL": url(name, password, first.host.private_address, port)}

    def deprovision(self, first: Session, addon: Addon) -> None:
        """Drop database and role; connections to it end."""
        first.call("postgres", {"do": "drop", "name": addon.facts["name"]})

    def info(self, first: Session, addon: Addon) -> dict[str, Any]:
        """`version`, `size` in bytes, `tables`, `connections`, `limit`."""
        return first.call("postgres", {"do": "info", "name": addon.facts["name"]})

    def ensure(self, first: Session, sessions: Sequence[Session], tell: Tell) -> int:
        """Have the server on that host, for all hosts of the space; its port. Again whenever a host joins."""
        host = first.host
        request = {
            "do": "ensure",
            "address": host.private_address,
            "names": sorted({host.id, host.address} - {host.private_address}),
            "hosts": [session.host.private_address for session in sessions],
        }
        answer = first.call("postgres", request, _telling(tell, first))
        trust = {"do": "trust", "ca": answer["ca"]}
        fan_out(sessions, lambda session: session.call("postgres", trust, _telling(tell, session)))
        port: int = answer["port"]
        return port


def url(name: str, password: str, address: str, port: int) -> str:
    """As libpq, psycopg, asyncpg, node-pg and dj-database-url read it: the server is verified, not only encrypted to.
    Heroku's own says `postgres://`, which SQLAlchemy refuses; what replaces that by hand has nothing to do here."""
    host = f"[{address}]" if ":" in address else address
    return f"postgresql://{name}:{password}@{host}:{port}/{name}?sslmode=verify-full&sslrootcert={CA}"


def _telling(tell: Tell, session: Session) -> OnEvent:
    def on_event(message: dict[str, Any], data: bytes) -> None:
        if message.get("event") == "changed":
            tell(Changed(session.host.id, message["what"]))

    return on_event
