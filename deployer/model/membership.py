"""Which hosts of AWS count, and which seat one that joins takes (docs/aws-hosts.md): rules over what was read."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from deployer.model.space import Host


def counting(registered: Iterable[Host], seats: Mapping[int, str], alive: Container[str]) -> tuple[Host, ...]:
    """The hosts that count, by seat: those that hold the seat that their registration names, by its owner's id, and
    are `alive` in the group."""
    found = {host.seat: host for host in registered if seats.get(host.seat) == host.id and host.id in alive}
    return tuple(found[seat] for seat in sorted(found))


def seat_for(instance: str, seats: Mapping[int, str], most: int, alive: Container[str]) -> int | None:
    """The seat of an instance: the one that it has, else the lowest of 1 to `most` that nobody has or whose owner is
    not alive; None where all are taken."""
    own = [number for number, owner in sorted(seats.items()) if owner == instance]
    free = [number for number in range(1, most + 1) if seats.get(number) is None or seats[number] not in alive]
    return next(iter([*own, *free]), None)
