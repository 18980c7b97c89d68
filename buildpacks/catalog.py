"""The buildpacks there are: which one a name means, which ones fit a source."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from buildpacks.plan import BuildPlan, Target
from buildpacks.tree import Tree

# Heroku's order of detection (heroku.md 3.3), as far as there are buildpacks of ours. Each is a package
# `buildpacks.FOLDER` with `detect` and `plan`.
NAMES = {"nodejs": "node", "python": "python"}


class Buildpack(Protocol):
    """What a language's package offers."""

    def detect(self, tree: Tree) -> str | None:
        """The language's name as people know it where this source is written in it."""
        ...

    def plan(self, tree: Tree, target: Target) -> BuildPlan:
        """What to do for this source. Raises `buildpacks.errors.Refused`."""
        ...

    def leads(self, tree: Tree) -> bool:
        """Whether a source that fits several buildpacks is surely meant for this one, too."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """The buildpacks of a source, in the order in which they run; `others` fit as well and are left out."""

    names: tuple[str, ...]
    others: tuple[str, ...] = ()


def canonical(name: str) -> str | None:
    """`heroku/python` for `python`, `heroku/python` and Heroku's own addresses of it; None for what we do not have."""
    short = name.removesuffix(".git").removesuffix("/").rpartition("/")[2].removeprefix("heroku-buildpack-")
    owned = "/" not in name or name.startswith(("heroku/", "https://github.com/heroku/"))
    return f"heroku/{short}" if owned and short in NAMES else None


def load(name: str) -> Buildpack:
    """The buildpack of a canonical name."""
    return cast(Buildpack, importlib.import_module(f"buildpacks.{NAMES[name.removeprefix('heroku/')]}"))


def detect(tree: Tree) -> Found:
    """Which buildpacks fit. All that surely are meant run in Heroku's order; where none is, its first one."""
    fitting = [f"heroku/{name}" for name in NAMES if load(name).detect(tree)]
    sure = [name for name in fitting if load(name).leads(tree)]
    chosen = tuple(sure or fitting[:1])
    return Found(chosen, tuple(name for name in fitting if name not in chosen))
