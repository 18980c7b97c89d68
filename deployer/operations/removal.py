"""Hosts that are being removed: whether a command is at it, and what becomes of them where it was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from deployer.errors.lease import LeaseHeld
from deployer.model.events import Tell, Warn
from deployer.operations.roll_call import holding_space
from deployer.operations.session import OpenSpace
from deployer.store.lease import hold


@contextmanager
def removing(space: OpenSpace, name: str) -> Iterator[None]:
    """Whoever removes a host holds its lease meanwhile; LeaseHeld where somebody does already."""
    with hold(
        space.ledger.store,
        f"host-{name}",
        command=f"hosts:remove {name}",
        wait=None,
        second_store=space.second_store,
        time_to_live=space.time_to_live,
        renew_every=space.renew_every,
    ):
        yield


def keep_those_not_removed(space: OpenSpace, tell: Tell) -> None:
    """A host that is about to go, and that no command removes any more, comes back like one that was left out."""
    for name in [host.id for host in space.hosts if host.leaving]:
        try:
            with removing(space, name), holding_space(space, f"keep {name}"):
                for host in space.hosts:
                    if host.id == name and host.leaving:
                        space.ledger.save_host(replace(host, leaving=False))
                        tell(Warn(f"{name} stays: its removal was cut off (again: `deployer hosts:remove {name}`)"))
                space.dial()
        except LeaseHeld:
            continue
