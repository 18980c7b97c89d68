"""Names that add-ons get by themselves, as Heroku gives them: `postgresql-shaped-12345`, HEROKU_POSTGRESQL_COBALT."""

from __future__ import annotations

import random
from collections.abc import Container

_COLOURS = """
    AMBER AQUA BLACK BLUE BRONZE BROWN CHARCOAL COBALT COPPER CRIMSON CYAN GOLD GRAY GREEN IVORY JADE MAROON MAUVE NAVY
    OLIVE ONYX ORANGE PINK PUCE PURPLE RED ROSE SILVER TEAL VIOLET WHITE YELLOW
"""
_SHAPES = """
    angular asymmetrical clean colorful concave contoured convex crystalline cubic curly curved cylindrical deep
    elliptical encircled flat fluffy globular graceful horizontal infinite octagonal opaque parallel pointy polished
    rectangular regular round rugged shallow shaped sinuous smooth solid spherical square tapered transparent triangular
"""
COLOURS = tuple(_COLOURS.split())
SHAPES = tuple(_SHAPES.split())


def new_name(noun: str, taken: Container[str]) -> str:
    """A name that is not taken."""
    while True:
        name = f"{noun}-{random.choice(SHAPES)}-{random.randrange(10000, 100000)}"
        if name not in taken:
            return name


def new_colour(prefix: str, taken: Container[str]) -> str:
    """`PREFIX_COLOUR` whose `..._URL` is not taken; a number behind the colour where all are."""
    names = [f"{prefix}_{colour}" for colour in COLOURS]
    free = [name for name in names if f"{name}_URL" not in taken]
    return random.choice(free) if free else f"{random.choice(names)}_{random.randrange(10000, 100000)}"
