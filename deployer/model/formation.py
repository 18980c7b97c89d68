"""How many dynos of each process type an app runs, and what each size gives them."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DYNOS = 100  # of one process type: Heroku's limit for Standard dynos


@dataclass(frozen=True, slots=True)
class Size:
    """What one dyno may use: memory in MiB, a share of the CPU (100 is the default weight), tasks."""

    name: str
    memory: int
    cpu_weight: int
    tasks: int


# Memory and task limits of Heroku's sizes of the same names (heroku.md 4.6).
SIZES = {
    size.name.lower(): size
    for size in (
        Size("Basic", 512, 100, 256),
        Size("Standard-1X", 512, 100, 256),
        Size("Standard-2X", 1024, 200, 512),
        Size("Performance-M", 2560, 800, 16384),
        Size("Performance-L", 14336, 1600, 32768),
    )
}
DEFAULT_SIZE = "Basic"


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many dynos of one process type, of which size."""

    quantity: int
    size: str = DEFAULT_SIZE


Formation = dict[str, Quantity]


def after_deploy(formation: Formation, process_types: dict[str, str]) -> Formation:
    """The formation when a slug with these types is released: `web` starts at 1 at the first deploy, new ones at 0."""
    started = bool(formation)
    return {
        name: formation.get(name, Quantity(1 if name == "web" and not started else 0))
        for name in process_types
        if name != "release"
    }
