"""`doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.resolve import is_in_aws, open_named, proposals, space_of, target_of
from deployer.cli.shell import Shell
from deployer.errors.apps import NoSpace
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

    Of a space in AWS also what it needs of this machine (versions, Pulumi, credentials of its account), and what its
    group says of its hosts.

    Changes nothing but with --repair. Exit status 1 where there are problems."""
    shell: Shell = ctx.obj
    target = target_of(shell, app, None) if app else None
    chosen = target.space if target else _space(shell, space)
    if is_in_aws(shell, chosen):
        from deployer.cli import cloud_doctor

        findings = cloud_doctor.findings(shell, chosen, target.app if target else None, deep=deep, mend=mend)
    else:
        findings = _of_hosts(shell, chosen, target.app if target else None, deep=deep, mend=mend)
    if as_json:
        shell.output.json([as_dict(one) for one in findings])
    else:
        for line in lines(findings):
            shell.output.print(line)
    return int(any(one.problem for one in findings))


def _space(shell: Shell, flag: str | None) -> str:
    """The one that is meant; where this machine knows none yet, the one that deployer.toml describes."""
    try:
        return space_of(shell, flag)
    except NoSpace:
        described = list(proposals(shell.folder))
        if len(described) != 1:
            raise
        return described[0]


def _of_hosts(shell: Shell, space: str, app: str | None, *, deep: bool, mend: bool) -> list[Finding]:
    from deployer.operations.doctor import examine, repair

    with open_named(shell, space) as opened:
        findings = examine(opened, app, deep=deep)
        if mend and any(one.problem for one in findings):
            repair(opened, findings, shell.tell)
            findings = examine(opened, app, deep=deep)
    return findings


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
                shown += [f"    {'':{width}}{line}" for line in one.advice.splitlines()]
    return shown
