"""What a command on an app shows and asks that changes what its space in AWS consists of."""

from __future__ import annotations

from collections.abc import Callable

from deployer.cli.cloud import agree, region_of, tools_of
from deployer.cli.cloud_preview import print_proposal
from deployer.cli.confirm import confirm
from deployer.cli.shell import Shell
from deployer.operations import cloud_change, prices
from deployer.operations.cloud_proposal import Alter, Proposal


def agreed(
    shell: Shell,
    space: str,
    command: str,
    alter: Alter,
    settled: Callable[[Proposal], bool] = lambda found: False,
    *,
    yes: bool,
) -> Proposal:
    """What the command would do, shown with its price, once somebody has agreed to it; NotAgreed, AgreementNeeded.
    Where nothing is to be done, or it is `settled` what is, nobody is asked."""
    found = shown(shell, space, command, alter)
    if not found.is_nothing and not settled(found):
        agree(shell, space, f"Do this in the account {found.account}?", yes=yes)
    return found


def confirmed(
    shell: Shell, space: str, command: str, alter: Alter, warning: str, name: str, flag: str | None, *, keep: bool
) -> Proposal:
    """The same for what destroys: `name` is to be typed, or given beforehand. Without `keep` no snapshot stays."""
    found = shown(shell, space, command, alter, keep=keep)
    confirm(shell, name, flag, warning)
    return found


def shown(shell: Shell, space: str, command: str, alter: Alter, *, keep: bool = True) -> Proposal:
    """What the command would do, shown with its price."""
    found = cloud_change.propose(tools_of(shell), space, region_of(shell, space, None), command, alter, keep=keep)
    if not found.is_nothing:
        print_proposal(shell.output, found, prices.load(), to=shell.output.say)
    return found
