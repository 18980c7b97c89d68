"""Which dyno runs on which seat: a pure rule, the same on every laptop and host."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deployer.model.formation import SIZES, Formation

RESERVE = 256  # MiB of a host's memory that no dyno is counted against: system, router, databases


class NoRoom(Exception):
    """No host has room for a dyno. `memory` in MiB; `room` is what each seat has left, in words."""

    def __init__(self, dyno: str, memory: int, room: str) -> None:
        super().__init__(f"There is no room for {dyno}: it takes {memory} MiB. Free for dynos: {room}.")
        self.dyno, self.memory, self.room = dyno, memory, room


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat with a host. `memory` in MiB is what dynos may still use there, over all apps."""

    number: int
    memory: int


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """One dyno on its seat."""

    process_type: str
    number: int
    size: str
    seat: int

    @property
    def name(self) -> str:
        """As Heroku spells it: `web.1`."""
        return f"{self.process_type}.{self.number}"


def room(memory: int) -> int:
    """What a host of so much memory has for dynos, in MiB."""
    return memory - max(RESERVE, memory // 8)


def place(
    app: str, formation: Formation, seats: Sequence[Seat], present: Mapping[str, int] | None = None
) -> list[Placement]:
    """The formation's dynos on seats. One that is `present` (`web.1` -> seat) stays where it is, if it fits there; each
    other one goes to a seat that has fewest of its type and room for it, and among such round the seats, from a start
    that depends on the app and the type. NoRoom where none has room."""
    free = {seat.number: seat.memory for seat in sorted(seats, key=lambda seat: seat.number)}
    dynos = [(t, n, q.size) for t, q in sorted(formation.items(), key=_web_first) for n in range(1, q.quantity + 1)]
    staying = {name: seat for name, seat in (present or {}).items() if seat in free}
    dynos.sort(key=lambda dyno: f"{dyno[0]}.{dyno[1]}" not in staying)
    placements: list[Placement] = []
    for process_type, number, size in dynos:
        taken = Counter(p.seat for p in placements if p.process_type == process_type)
        order = sorted(_round(app, process_type, number, list(free)), key=taken.__getitem__)
        if (at := staying.get(f"{process_type}.{number}")) is not None:
            order = [at, *order]
        seat = _first_with_room(order, free, SIZES[size.lower()].memory, f"{process_type}.{number}")
        free[seat] -= SIZES[size.lower()].memory
        placements.append(Placement(process_type, number, size, seat))
    return sorted(placements)


def _web_first(entry: tuple[str, object]) -> tuple[bool, str]:
    return entry[0] != "web", entry[0]


def _round(app: str, process_type: str, number: int, seats: list[int]) -> list[int]:
    """All seats, from the one whose turn it is. The start is a checksum, so that the first dynos of many apps do not
    all land on the first host."""
    if not seats:
        return []
    start = (zlib.crc32(f"{app}.{process_type}".encode()) + number - 1) % len(seats)
    return seats[start:] + seats[:start]


def _first_with_room(order: Sequence[int], free: Mapping[int, int], memory: int, dyno: str) -> int:
    for seat in order:
        if free[seat] >= memory:
            return seat
    left = ", ".join(f"{free[seat]} MiB on seat {seat}" for seat in sorted(free)) or "no host"
    raise NoRoom(dyno, memory, left)
