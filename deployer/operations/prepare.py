"""Make machines hosts of a space: packages, units, firewall, router. Idempotent, each change is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployer.model.codec import encode
from deployer.model.events import Changed, Detail, Tell
from deployer.model.roll import Roll
from deployer.model.space import Host
from deployer.remote.agent import Message, Session
from deployer.remote.fan_out import fan_out

if TYPE_CHECKING:
    from deployer.operations.session import OpenSpace


def prepare_host(
    session: Session, hosts: Sequence[Host], epoch: int, tell: Tell, space: str = "", roll: Roll | None = None
) -> None:
    """Make one machine a host beside `hosts`, telling each thing that changes, and whatever is waited for. `space` is
    the name that a rented one notes, `roll` who counts, for one that does not itself."""

    def hear(message: Message, data: bytes) -> None:
        what = str(message["what"])
        if message["event"] == "waiting":
            tell(Detail(f"{session.host.id}: waiting for {what}"))
        else:
            tell(Changed(session.host.id, what))

    request = {"hosts": [host.private_address for host in hosts], "epoch": epoch, "space": space}
    request["roll"] = encode(roll) if roll else None
    session.call("prepare", request, hear)


def prepare_every_host(space: OpenSpace) -> None:
    """Bring what an older deployer prepared up to date. Units and helpers bear numbers: what runs goes on."""
    sessions = space.sessions
    fan_out(sessions, lambda session: prepare_host(session, space.hosts, space.space.epoch, lambda event: None))
