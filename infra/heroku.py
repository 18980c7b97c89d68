"""What the same formation and add-ons cost on Heroku."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from deployer.model.formation import Formation
from infra.bill import Bill, Item, priced
from infra.prices import HEROKU, Table

ALONE = "Basic"  # the size of which Heroku runs only one dyno of a process type
SEVERAL = "Standard-1X"  # the next one, of the same memory
RETIRED = {"heroku-postgresql:hobby-dev": "essential-0", "heroku-postgresql:mini": "essential-0"}


def bill(formation: Formation, addons: Iterable[str], table: Table) -> Bill:
    """The bill of dynos and add-ons (`heroku-postgresql:essential-0`); plans that Heroku retired count as their
    successors."""
    return priced([*_dynos(formation), *map(_addon, addons)], table, HEROKU)


def _dynos(formation: Formation) -> Iterable[Item]:
    for name, one in formation.items():
        size = SEVERAL if one.size == ALONE and one.quantity > 1 else one.size
        why = f" ({ALONE} runs one)" if size != one.size else ""
        if one.quantity:
            yield Item("dynos", f"{name}={one.quantity}:{size}{why}", f"dyno/{size}", Decimal(one.quantity), "dynos")


def _addon(service_plan: str) -> Item:
    service, _, plan = service_plan.partition(":")
    plan = RETIRED.get(service_plan, plan)
    name = f"{service}:{plan}" if plan else service
    return Item("add-ons", name, f"addon/{name}", Decimal(1), "add-ons")
