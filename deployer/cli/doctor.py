"""`doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import open_named, space_of, target_of
from deployer.cli.shell import Shell
from deployer.operations.diagnosis import Finding


def doctor(
    ctx: typer.Context,
    app: options.App = None,
    space: options.Space = None,
    deep: Annotated[bool, typer.Option("--deep", help="Hash every shipped file again.", show_default=False)] = False,
    mend: Annotated[
        bool, typer.Option("--repair", help="Make hosts and dynos what the ledger says.", show_default=False)
    ] = False,
    as_json: options.Json = False,
) -> int:
    """Look for what is wrong: this machine, the hosts of a space, and what runs against what the ledger says.

    Changes nothing but with --repair. Exit status 1 where there are problems."""
    from deployer.operations.doctor import examine, repair

    shell: Shell = ctx.obj
    target = target_of(shell, app, None) if app else None
    with open_named(shell, target.space if target else space_of(shell, space)) as opened:
        name = target.app if target else None
        findings = examine(opened, name, deep=deep)
        if mend and any(one.problem for one in findings):
            repair(opened, findings, shell.tell)
            findings = examine(opened, name, deep=deep)
    if as_json:
        shell.output.json([as_dict(one) for one in findings])
    else:
        for line in lines(findings):
            shell.output.print(line)
    return int(any(one.problem for one in findings))


def as_dict(finding: Finding) -> dict[str, str | bool]:
    """A finding for programs."""
    return {
        "where": finding.where,
        "check": finding.check,
        "ok": not finding.problem,
        "problem": finding.problem,
        "advice": finding.advice,
        "note": finding.note,
    }


def lines(findings: Sequence[Finding]) -> list[str]:
    """For each place a line of what is well there, and one for each problem, with what to type."""
    width = max((len(one.where) for one in findings), default=0) + 2
    shown = []
    for where, group in groupby(findings, key=lambda one: one.where):
        members = list(group)
        well = ", ".join(one.check + (f" ({one.note})" if one.note else "") for one in members if not one.problem)
        shown += [f"ok  {where:{width}}{well}"] if well else []
        for one in members:
            if one.problem:
                shown.append(f" !  {where:{width}}{one.check}: {one.problem}")
                shown.append(f"    {'':{width}}{one.advice}")
    return shown
