"""`heroku-postgresql`: a database and a role of its own on the PostgreSQL of a host, the one that was the space's first
when its first database was made; in AWS on the one that RDS runs for the space.

Names of plans and their limits are Heroku's. `essential-*` cost nothing more here: they live on what is paid for
already. The limit of connections is enforced by the server; storage and tables are shown, not enforced.

`standard-*` is an RDS instance of the add-on's own, with about as much memory as Heroku's has (4, 8, 15 GB: its page of
plans), and as much storage, which RDS enforces. It takes some 400 connections for each 4 GB, more than the plan's (RDS
User Guide, `Quotas and constraints`: LEAST(memory / 9531392, 5000)).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployer.addons.provider import Place, Plan
from deployer.model.addon import Addon
from deployer.model.events import Changed, Tell
from deployer.remote.agent import OnEvent, Session
from deployer.remote.fan_out import fan_out

GB = 10**9
FILLED = ("snapshot", "instance")  # facts of one that was filled from another: which has the databases of others, too
CA = "/etc/ssl/deployer/space-ca.pem"  # where the agent's `trust` puts it on every host

PLANS = (
    Plan("essential-0", limits={"connections": 20, "storage": 1 * GB, "tables": 4000}),
    Plan("essential-1", limits={"connections": 20, "storage": 10 * GB, "tables": 4000}),
    Plan("essential-2", limits={"connections": 40, "storage": 32 * GB, "tables": 4000}),
    Plan("standard-0", limits={"connections": 120, "storage": 64 * GB}, size="db.t4g.medium"),
    Plan("standard-2", limits={"connections": 400, "storage": 256 * GB}, size="db.m7g.large"),
    Plan("standard-3", limits={"connections": 500, "storage": 512 * GB}, size="db.m7g.xlarge"),
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
        self, place: Place, sessions: Sequence[Session], addon: Addon, plan: Plan, tell: Tell
    ) -> dict[str, str]:
        """Have the server, every host's trust in it, the role and its database."""
        if place.managed:
            trust(sessions, place.managed.authorities, tell)
            address, port = place.managed.address, place.managed.port
        else:
            address, port = place.session.host.private_address, self.ensure(place.session, sessions, tell)
        name, password = addon.facts["name"], addon.facts["password"]
        if any(addon.facts.get(one) for one in FILLED):
            place.session.call("postgres", {"do": "keep", "name": name, **server_facts(place)})
        limit = plan.limits["connections"]
        request = {"do": "create", "name": name, "password": password, "connections": limit}
        place.session.call("postgres", {**request, **server_facts(place)})
        return {"URL": url(name, password, address, port)}

    def deprovision(self, place: Place, addon: Addon) -> None:
        """Drop database and role; connections to it end."""
        place.session.call("postgres", {"do": "drop", "name": addon.facts["name"], **server_facts(place)})

    def info(self, place: Place, addon: Addon) -> dict[str, Any]:
        """`version`, `size` in bytes, `tables`, `connections`, `limit`."""
        return place.session.call("postgres", {"do": "info", "name": addon.facts["name"], **server_facts(place)})

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
        trust(sessions, answer["ca"], tell)
        port: int = answer["port"]
        return port


def trust(sessions: Sequence[Session], authorities: str, tell: Tell) -> None:
    """Have these hosts able to verify servers by certificates of these authorities, as PEM."""
    request = {"do": "trust", "ca": authorities}
    fan_out(sessions, lambda session: session.call("postgres", request, _telling(tell, session)))


def url(name: str, password: str, address: str, port: int) -> str:
    """As libpq, psycopg, asyncpg, node-pg and dj-database-url read it: the server is verified, not only encrypted to.
    Heroku's own says `postgres://`, which SQLAlchemy refuses; what replaces that by hand has nothing to do here."""
    host = f"[{address}]" if ":" in address else address
    return f"postgresql://{name}:{password}@{host}:{port}/{name}?sslmode=verify-full&sslrootcert={CA}"


def server_facts(place: Place) -> dict[str, Any]:
    """What a request says of a server that is no host's."""
    if place.managed is None:
        return {}
    one = place.managed
    return {"server": {"address": one.address, "port": one.port, "user": one.user, "password": one.password}}


def _telling(tell: Tell, session: Session) -> OnEvent:
    def on_event(message: dict[str, Any], data: bytes) -> None:
        if message.get("event") == "changed":
            tell(Changed(session.host.id, message["what"]))

    return on_event
