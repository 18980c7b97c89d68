"""What an app would cost in AWS, from its folder and tables of prices alone: no account, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from deployer.model import app_json, procfile
from deployer.model.formation import Formation, Quantity, after_deploy
from infra import heroku
from infra.bill import Bill, bill
from infra.prices import Table
from infra.read import parse
from infra.resources import Resource, resources
from infra.shapes import shapes
from infra.spec import Spec

DATABASE = "heroku-postgresql"
SMALLEST = f"{DATABASE}:essential-0"  # Heroku's, for those whose app.json names none


@dataclass(frozen=True, slots=True)
class App:
    """What a folder says of its app. `guessed` where it has no Procfile, and one web dyno is assumed."""

    formation: Formation
    addons: tuple[str, ...]
    guessed: bool

    @property
    def wants_database(self) -> bool:
        """Whether app.json asks for a PostgreSQL database."""
        return any(addon.partition(":")[0] in (DATABASE, "postgresql", "postgres") for addon in self.addons)


@dataclass(frozen=True, slots=True)
class Choice:
    """One size of a space: what it costs, and what the same app costs on Heroku."""

    spec: Spec
    bill: Bill
    heroku: Bill


@dataclass(frozen=True, slots=True)
class Proposed:
    """A space that deployer.toml describes: what it consists of and costs, beside this app on Heroku."""

    spec: Spec
    resources: tuple[Resource, ...]
    bill: Bill
    heroku: Bill

    @property
    def left(self) -> Decimal | None:
        """Dollars of the budget that are not spent, less than none where it is exceeded; None without a budget."""
        return None if self.spec.budget is None else self.spec.budget.monthly - self.bill.total


def read(folder: Path) -> App:
    """The app of a folder, from its Procfile and app.json. Raises ProcfileBroken, AppJsonBroken."""
    described = app_json.parse(text) if (text := _text(folder / app_json.NAME)) else app_json.AppJson()
    found = (folder / procfile.NAME).read_bytes() if (folder / procfile.NAME).is_file() else None
    types = procfile.parse(found).types if found is not None else {"web": ""}
    formation = {**after_deploy({}, types), **{t: q for t, q in described.formation.items() if t in types}}
    if not any(one.quantity for one in formation.values()):  # an app without web: one of each says more than nothing
        formation = {name: Quantity(1, one.size) for name, one in formation.items()}
    return App(formation, tuple(addon.plan for addon in described.addons), found is None)


def choices(app: App, region: str, table: Table) -> list[Choice]:
    """Three sizes of a space for the app."""
    return [Choice(spec, bill(spec, table), _on_heroku(app, spec, table)) for spec in shapes(app.formation, region)]


def proposed(app: App, space: str, described: Any, table: Table) -> Proposed:
    """A space from what stands in deployer.toml. Raises SpecificationBroken."""
    spec = parse(space, described)
    return Proposed(spec, resources(space, spec), bill(spec, table), _on_heroku(app, spec, table))


def _on_heroku(app: App, spec: Spec, table: Table) -> Bill:
    """What is compared has a database on both sides."""
    extra: Sequence[str] = (SMALLEST,) if spec.database and not app.wants_database else ()
    return heroku.bill(app.formation, (*app.addons, *extra), table)


def _text(path: Path) -> str:
    return path.read_text(errors="surrogateescape") if path.is_file() else ""
