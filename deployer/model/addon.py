"""Add-ons as the ledger knows them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Addon:
    """`addons/NAME`. `config` are the values it gives by suffix (`URL` -> `DATABASE_URL` where attached as DATABASE);
    `facts` are the provider's own (database and role names ...), never shown."""

    name: str
    service: str
    plan: str
    app: str
    created: str
    state: str  # provisioning, provisioned, deprovisioning
    config: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    schema: int = 1
