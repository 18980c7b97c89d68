"""What `up` would change in AWS, as one screen: by noun, and in dollars a month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from deployer.cli import bills
from deployer.cli.output import Output, table_lines
from deployer.operations.cloud import Proposal
from infra.bill import Bill, bill
from infra.changes import Change
from infra.prices import Table
from infra.resources import resources

SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-"}
STAYS = "Hosts that run stay as they are; those that AWS starts from then on are new."
STOPS = "What is replaced is not there for a while."
NONE = "-"


def print_proposal(out: Output, found: Proposal, table: Table, to: Callable[[str], None] | None = None) -> None:
    """The screen; `to` writes a line of it, on stdout unless said otherwise."""
    for line in lines(found, table):
        (to or out.print)(line)


def lines(found: Proposal, table: Table) -> list[str]:
    """Its lines."""
    where = f"{found.name} in AWS, {found.after.region}, account {found.account}"
    if found.is_nothing:
        return [f"=== {where}", "Nothing would change.", "", *_bills(found, table)]
    if found.changes is None:
        new = resources(found.name, found.after)
        head = f"{len(new)} resources would be made."
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
    changes = found.changes or ()
    told = [STAYS] if any((one.verb, one.kind) == ("update", "launch template") for one in changes) else []
    told += [STOPS] if any(one.verb == "replace" for one in changes) else []
    budget = found.after.budget
    if budget and (total := bill(found.after, table).total) > budget.monthly:
        told.append(f"EXCEEDED: the budget is ${budget.monthly} a month, and this is ${total:.2f}.")
    return ["", *told] if told else []


def _bills(found: Proposal, table: Table) -> list[str]:
    """Dollars a month by line, before and after."""
    before = bill(found.before, table) if found.before else Bill(())
    after = bill(found.after, table)
    found_lines = [*before.lines, *after.lines]
    nouns = list(dict.fromkeys(line.item.noun for line in found_lines))
    names = [line.item.what for line in sorted(found_lines, key=lambda line: nouns.index(line.item.noun))]
    rows = [[name, _amount(before, name), _amount(after, name)] for name in dict.fromkeys(names)]
    rows.append(["Sum", bills.total(before) if found.before else NONE, bills.total(after)])
    width = max(len(cell) for row in rows for cell in row[1:])
    aligned = [[row[0], *(cell.rjust(width) for cell in row[1:])] for row in rows]
    return table_lines(("Dollars a month", "now".rjust(width), "then".rjust(width)), aligned)


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
