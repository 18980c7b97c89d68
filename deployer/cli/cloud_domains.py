"""What `domains:add`, `:remove` and `:clear` do beside the routers where a load balancer ends TLS."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from deployer.cli.cloud import tools_of
from deployer.cli.cloud_change import agreed, shown
from deployer.cli.shell import Shell
from deployer.errors.aws import AwsDenied, AwsForbidden
from deployer.errors.base import Failure
from deployer.errors.domains import DomainNotReady
from deployer.model.events import Warn
from deployer.operations import cloud_change
from deployer.operations.cloud_domains import (
    await_issued,
    is_settled,
    issued,
    of_aws,
    unshown,
    wants_certificate,
    with_one,
    without,
)
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
    found = agreed(shell, space.space.name, words, without(space, names), yes=yes)
    return replace(found, command=_up(space))  # when it is done the app has them no more: that goes on


def carry_out(shell: Shell, proposal: Proposal | None) -> None:
    """Do what was agreed to."""
    if proposal is not None and not proposal.is_nothing:
        cloud_change.carry_out(tools_of(shell), proposal, shell.tell)


def finish(shell: Shell, space: OpenSpace, app: str, names: Collection[str], timeout: float, *, yes: bool) -> None:
    """Wait until AWS has issued the certificates of domains, and have the load balancer show them: whoever added them
    has agreed to that. Where something else is not as it should be, it is asked about. Who may not ask AWS waits for
    somebody who may."""
    waiting = ", ".join(one.name for one in unshown(space, names))
    if not waiting:
        return
    try:
        with shell.doing(f"Waiting until AWS has issued a certificate for {waiting}"):
            await_issued(space, app, names, at_most=timeout)
    except (AwsDenied, AwsForbidden) as denied:
        shell.tell(Warn(f"{denied.paragraphs()[0]} Somebody who owns {space.space.name} has it shown."))
        return
    except DomainNotReady:  # of several some may be
        _show(shell, space, app, names, yes=yes)
        raise
    _show(shell, space, app, names, yes=yes)


def _show(shell: Shell, space: OpenSpace, app: str, names: Collection[str], *, yes: bool) -> None:
    if issued(space, names):
        command = f"domains:wait -a {space.space.name}/{app}"
        carry_out(shell, agreed(shell, space.space.name, command, lambda spec: spec, is_settled, yes=yes))


@contextmanager
def going(shell: Shell, space: OpenSpace, names: Collection[str]) -> Iterator[None]:
    """Show what goes with an app in AWS; it goes when the app is gone. What cannot be done now the next `up` does: an
    app goes also where somebody may not change what its space consists of."""
    gone = of_aws(space, names)
    if not gone:
        yield
        return
    command, found, left = _up(space), None, ""
    try:
        found = shown(shell, space.space.name, command, without(space, gone))
    except Failure as failure:
        left = failure.paragraphs()[0]
    yield
    try:
        carry_out(shell, found)
    except Failure as failure:
        left = failure.paragraphs()[0]
    if left:
        shell.output.warn(f"{left}\nThe certificates of {', '.join(gone)} go with the next `deployer {command}`.")


def _up(space: OpenSpace) -> str:
    return f"up --space {space.space.name}"
