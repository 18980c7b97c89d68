"""`deployer preview --space X`: a space as deployer.toml describes it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from deployer.cli import bills
from deployer.cli.cloud_release import lines
from deployer.cli.resolve import proposals
from deployer.cli.shell import Shell
from deployer.errors.preview import SpaceNotProposed
from deployer.model import app_json
from deployer.operations import preview as operation
from deployer.operations.outlook import Folder, foresee
from deployer.operations.preview import App, Proposed
from infra.bill import HOURS, Line, Usage
from infra.prices import Source, Table

NOT_YET = "Nothing was made, and nothing of AWS was asked: `deployer up --space {space}` does both."
SPARE = "when the host dies, a new one takes its place and serves after 3 to 8 minutes"


def preview_space(shell: Shell, app: App, space: str, table: Table, *, as_json: bool) -> None:
    """Show one space of deployer.toml; SpaceNotProposed, SpecificationBroken."""
    described = proposals(shell.folder)
    if space not in described:
        raise SpaceNotProposed(space, ", ".join(described) or "none")
    proposed = operation.proposed(app, space, described[space], table)
    if as_json:
        shell.output.json(_as_json(space, proposed))
    else:
        _show(shell, app, space, proposed, table)


def _show(shell: Shell, app: App, space: str, proposed: Proposed, table: Table) -> None:
    out, spec, bill = shell.output, proposed.spec, proposed.bill
    known = bills.sources([*bill.lines, *proposed.heroku.lines])
    out.header(f"{space} in AWS, {spec.region}: dollars a month")
    rows = [_row(line, known) for line in bill.lines]
    rows += [["", "", "", "", ""], ["Sum", "", "", bills.total(bill), ""]]
    rows.append(["This app on Heroku", "", "", bills.total(proposed.heroku), bills.marks(proposed.heroku.lines, known)])
    bills.print_table(out, ["", "Quantity", "Price", "Amount", ""], rows)
    out.print()
    out.values(
        {
            "Account": spec.account or "any: `account` in deployer.toml refuses all others",
            "Budget": _budget(proposed),
            "Reckoned": bills.reckoned(Usage()),
            "Not in it": bills.on_top(table, spec.region),
            **({"Without a spare": SPARE} if spec.hosts.count == 1 else {}),
        }
    )
    out.print()
    out.header(f"What it consists of: {_counted(proposed)}")
    groups = groupby(proposed.resources, key=lambda resource: resource.noun)
    out.values({noun.capitalize(): "\n".join(map(str, found)) for noun, found in groups})
    out.print()
    for line in _release(shell, app, space):
        out.print(line)
    bills.print_sources(out, known, [bill], [proposed.heroku], spec.region)
    out.print(f"\n{NOT_YET.format(space=space)}")


def _release(shell: Shell, app: App, space: str) -> list[str]:
    """What `up` would make of the folder's app at the end, if there is one."""
    from deployer.cli.up import has_app, target_to_be

    if not has_app(shell):
        return []
    path = shell.folder / app_json.NAME
    described = app_json.parse(path.read_text("utf-8", "replace")) if path.is_file() else app_json.AppJson()
    name = str(target_to_be(shell, None, space).app)
    return [*lines(foresee(Folder(name, described, app)), space), ""]


def _counted(proposed: Proposed) -> str:
    """`28 resources`, or `26 resources, 3 more on a condition`"""
    later = sum(bool(one.when) for one in proposed.resources)
    now = f"{len(proposed.resources) - later} resources"
    return f"{now}, {later} more on a condition" if later else now


def _row(line: Line, known: list[Source]) -> list[str]:
    quantity = f"{line.item.quantity.normalize():f} {line.item.unit}"
    price = f"{line.price.usd.normalize():f}" if line.price else bills.UNKNOWN
    return [line.item.what, quantity, price, bills.money(line.amount), bills.marks([line], known)]


def _budget(proposed: Proposed) -> str:
    left = proposed.left
    if proposed.spec.budget is None or left is None:
        return "none: `budget` in deployer.toml has AWS write when it is nearly spent"
    monthly = f"${proposed.spec.budget.monthly} a month"
    if proposed.bill.unknown and left >= 0:
        return f"{monthly}: ${left:.2f} of it are left for what is unknown here"
    return f"{monthly}: ${left:.2f} of it are left" if left >= 0 else f"{monthly}: EXCEEDED by ${-left:.2f}"


def _as_json(space: str, proposed: Proposed) -> dict[str, Any]:
    return {
        "space": space,
        "currency": "USD",
        "hours": HOURS,
        "specification": proposed.spec,
        "aws": bills.as_json(proposed.bill),
        "heroku": bills.as_json(proposed.heroku),
        "budget_left": None if proposed.left is None else float(proposed.left),
        "resources": list(proposed.resources),
    }
