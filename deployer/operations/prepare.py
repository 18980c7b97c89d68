"""Make machines hosts of a space: packages, units, firewall, router. Idempotent, each change is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployer.model.events import Changed, Tell
from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out

if TYPE_CHECKING:
    from deployer.operations.session import OpenSpace


def prepare_host(session: Session, hosts: Sequence[Host], epoch: int, tell: Tell) -> None:
    """Make one machine a host beside `hosts`, telling each thing that changes."""
    request = {"hosts": [host.private_address for host in hosts], "epoch": epoch}
    session.call("prepare", request, lambda message, _: tell(Changed(session.host.id, str(message["what"]))))


def prepare_every_host(space: OpenSpace) -> None:
    """Bring what an older deployer prepared up to date. Units and helpers bear numbers: what runs goes on."""
    hosts = [session.host for session in space.sessions]
    fan_out(space.sessions, lambda session: prepare_host(session, hosts, space.space.epoch, lambda event: None))
