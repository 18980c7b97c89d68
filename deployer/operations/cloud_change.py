"""Commands on apps that change what a space in AWS consists of: a database of its own, a further domain.

Such a command proposes what becomes of the ledger's specification, shows it as `up` does, asks, and has the engine make
it, under the space's lease. What it adds is the ledger's: no deployer.toml knows of it, and every later `up` keeps it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.errors.aws import AwsDenied, AwsForbidden
from deployer.errors.cloud import OwnersAlone
from deployer.model.events import Tell
from deployer.operations import cloud
from deployer.operations.cloud_proposal import Alter, Proposal
from deployer.spaces.aws.record import Record
from deployer.spaces.aws.tools import Tools

if TYPE_CHECKING:
    from infra.engine import Leave


def propose(tools: Tools, name: str, region: str, command: str, alter: Alter, *, keep: bool = True) -> Proposal:
    """What `alter` would change in AWS, and only that beside what is not as the last `up` left it. `command` is the one
    that is typed, without `deployer`: to type it again goes on. Changes nothing. OwnersAlone where these credentials
    may not even look."""
    try:
        found = cloud.preview(tools, name, None, region, alter=alter)
    except (AwsDenied, AwsForbidden) as denied:
        raise OwnersAlone(name, command, str(denied.paragraphs()[0])) from denied
    return replace(found, command=command, keep=keep)


def carry_out(tools: Tools, proposal: Proposal, tell: Tell, leave: Leave | None = None) -> Record:
    """Do it, whatever others have changed since; what is noted of the space then. Can be repeated after any failure.
    With `leave` databases that AWS makes are not waited for."""
    try:
        return cloud.up(tools, proposal, tell, leave)
    except (AwsDenied, AwsForbidden) as denied:
        raise OwnersAlone(proposal.name, proposal.command, str(denied.paragraphs()[0])) from denied
