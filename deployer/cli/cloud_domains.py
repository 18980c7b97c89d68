"""What `domains:add`, `:remove` and `:clear` do beside the routers where a load balancer ends TLS."""

from __future__ import annotations

from collections.abc import Collection

from deployer.cli.cloud import tools_of
from deployer.cli.cloud_change import agreed
from deployer.cli.shell import Shell
from deployer.operations import cloud_change
from deployer.operations.cloud_domains import of_aws, wants_certificate, with_one, without
from deployer.operations.cloud_proposal import Proposal
from deployer.operations.session import OpenSpace


def adding(shell: Shell, space: OpenSpace, app: str, name: str, *, yes: bool) -> Proposal | None:
    """What AWS is to do for a domain, once somebody has agreed to it; None where it takes no certificate of its own."""
    if not wants_certificate(space.space, name):
        return None
    command = f"domains:add {name} -a {space.space.name}/{app}"
    return agreed(shell, space.space.name, command, with_one(space, name), yes=yes)


def removing(
    shell: Shell, space: OpenSpace, app: str, names: Collection[str], command: str, *, yes: bool
) -> Proposal | None:
    """What AWS is to do where domains go, once somebody has agreed to it; None where it knows none of them."""
    if not of_aws(space, names):
        return None
    words = f"{command} -a {space.space.name}/{app}"
    return agreed(shell, space.space.name, words, without(space, names), yes=yes)


def carry_out(shell: Shell, proposal: Proposal | None) -> None:
    """Do what was agreed to."""
    if proposal is not None and not proposal.is_nothing:
        cloud_change.carry_out(tools_of(shell), proposal, shell.tell)
