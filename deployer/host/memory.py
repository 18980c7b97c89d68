"""Whether new dynos fit into this host's memory beside what runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import dyno_files, systemd
from deployer.host.dyno_files import Placed
from deployer.host.paths import Paths

RESERVE = 128  # MiB that stay free whatever boots
UNKNOWN = 0.25  # of its size, what a dyno of a kind that does not run yet is expected to need

Kind = tuple[str, str]
"""App and process type."""


def check(paths: Paths, wanted: Sequence[Placed]) -> None:
    """Refuse with `no-memory` and the numbers (MiB) where the new dynos would make the kernel choose a victim."""
    available = meminfo(Path("/proc/meminfo").read_text())["MemAvailable"] >> 10
    if available >= RESERVE + sum(one.limits.memory for one in wanted):
        return
    needed = expected(wanted, in_use(dyno_files.of_app(paths, wanted[0].dyno.app)))
    if available < RESERVE + needed:
        raise HostFailure("no-memory", {"needed": needed, "available": available, "reserve": RESERVE})


def expected(wanted: Sequence[Placed], running: Mapping[Kind, int]) -> int:
    """MiB that new dynos will need: what others of their kind use, else a share of what they may use."""
    return sum(
        min(one.limits.memory, running.get((one.dyno.app, one.dyno.process_type), int(one.limits.memory * UNKNOWN)))
        for one in wanted
    )


def in_use(placed: Sequence[Placed]) -> dict[Kind, int]:
    """MiB that the largest running dyno of each kind uses."""
    states = systemd.show([one.unit for one in placed], ["MemoryCurrent"])
    used: dict[Kind, int] = {}
    for one in placed:
        text = states.get(one.unit, {}).get("MemoryCurrent", "")
        if text.isdigit() and int(text) < 1 << 60:  # 2^64 - 1 where nothing is known
            kind = (one.dyno.app, one.dyno.process_type)
            used[kind] = max(used.get(kind, 0), int(text) >> 20)
    return used


def meminfo(text: str) -> dict[str, int]:
    """/proc/meminfo in KiB."""
    lines = (line.split() for line in text.splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
