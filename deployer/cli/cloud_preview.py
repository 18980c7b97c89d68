"""What `up` would change in AWS, as one screen: by noun, and in dollars a month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from deployer.cli import bills
from deployer.cli.cloud_domain import intended
from deployer.cli.cloud_stops import stops
from deployer.cli.output import Output, table_lines
from deployer.operations.cloud_proposal import Proposal
from infra.bill import Bill, Line, bill
from infra.changes import Change
from infra.prices import Table
from infra.resources import resources

SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-"}
NONE = "-"


def print_proposal(out: Output, found: Proposal, table: Table, to: Callable[[str], None] | None = None) -> None:
    """The screen; `to` writes a line of it, on stdout unless said otherwise."""
    for line in lines(found, table):
        for part in out.wrapped(line):
            (to or out.print)(part)


def lines(found: Proposal, table: Table) -> list[str]:
    """Its lines."""
    where = f"{found.name} in AWS, {found.after.region}, account {found.account}"
    if found.is_nothing:
        return [f"=== {where}", "Nothing would change.", "", *_bills(found, table), *_consequences(found, table)]
    if found.changes is None:
        new = resources(found.name, found.after, found.domain is not None and found.domain.zone is not None)
        head = f"{sum(not one.when for one in new)} resources would be made."
        nouns = [(noun, [f"+ {one}" for one in some]) for noun, some in groupby(new, lambda one: one.noun)]
    else:
        head = _counted(found.changes)
        nouns = [
            (noun, [line for one in some for line in _change(one)])
            for noun, some in groupby(found.changes, lambda one: one.noun)
        ]
    listed = [
        line
        for noun, some in nouns
        for line in ("", noun.replace("-", " ").capitalize(), *(f"  {one}" for one in some))
    ]
    return [f"=== {where}", head, *listed, "", *_bills(found, table), *_consequences(found, table)]


def _counted(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing in AWS would change; what the space is described as would."
    words = {"create": "made", "update": "changed", "replace": "replaced", "delete": "deleted"}
    counts = {word: sum(one.verb == verb for one in changes) for verb, word in words.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) + "."


def _change(one: Change) -> list[str]:
    """A thing, and below it what differs in it."""
    fields = [
        f"    {field.path}: {field.old or 'nothing'} -> {field.new or 'nothing'}{' (replaces it)' * field.replaces}"
        for field in one.fields
    ]
    takes = f" ({one.minutes[0]} to {one.minutes[1]} minutes)" if one.minutes != (0, 0) else ""
    return [f"{SIGNS[one.verb]} {one}{takes}", *fields]


def _consequences(found: Proposal, table: Table) -> list[str]:
    told = [*stops(found.changes or (), keep=found.keep), *intended(found)]
    budget = found.after.budget
    if budget and (total := bill(found.after, table).total) > budget.monthly:
        told.append(f"EXCEEDED: the budget is ${budget.monthly} a month, and this is ${total:.2f}.")
    return ["", *told] if told else []


def _bills(found: Proposal, table: Table) -> list[str]:
    """Dollars a month by line, before and after."""
    before = bill(found.before, table) if found.before else Bill(())
    after = bill(found.after, table)
    found_lines = [*before.lines, *after.lines]
    names = [line.item.what for line in _beside(found_lines)]
    rows = [[name, _amount(before, name), _amount(after, name)] for name in dict.fromkeys(names)]
    rows.append(["Sum", bills.total(before) if found.before else NONE, bills.total(after)])
    width = max(len(cell) for row in rows for cell in row[1:])
    aligned = [[row[0], *(cell.rjust(width) for cell in row[1:])] for row in rows]
    return table_lines(("Dollars a month", "now".rjust(width), "then".rjust(width)), aligned)


def _beside(found: Sequence[Line]) -> list[Line]:
    """By noun, and below what was there what comes in its place: `Hosts: t4g.small`, `Hosts: t4g.medium`."""
    nouns = list(dict.fromkeys(line.item.noun for line in found))
    words = list(dict.fromkeys(line.item.what.partition(":")[0] for line in found))
    return sorted(found, key=lambda line: (nouns.index(line.item.noun), words.index(line.item.what.partition(":")[0])))


def _amount(known: Bill, name: str) -> str:
    return next((bills.money(line.amount) for line in known.lines if line.item.what == name), NONE)


def as_json(found: Proposal, table: Table) -> dict[str, Any]:
    """`changes` is null where everything would be new; `now` where there is no such space."""
    return {
        "space": found.name,
        "account": found.account,
        "region": found.after.region,
        "specification": found.after,
        "changes": None if found.changes is None else list(found.changes),
        "now": bills.as_json(bill(found.before, table)) if found.before else None,
        "then": bills.as_json(bill(found.after, table)),
    }
