"""What operations tell while they work: values that the command line renders, in the order in which they happened.

Operations take a function `tell` by argument; it may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A section of Heroku's build output: `-----> TITLE`."""

    title: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A line below a step, indented by seven columns."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A line of a program that we ran (a build step, the release command), as it came."""

    line: str


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that the user should look at: ` !     TEXT`."""

    text: str


@dataclass(frozen=True, slots=True)
class Doing:
    """An action begins: `Creating my-app... `; ended by `Done`."""

    text: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the action is that `Doing` began, within its line: `25 %`."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The action that `Doing` began has ended: `done`, and what came of it."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """`prepare` changed one thing on a host."""

    host: str
    what: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a phase took, in seconds, and what it sent, in bytes; shown with --verbose."""

    phase: str
    seconds: float
    sent: int = 0


Event = Step | Detail | Output | Warn | Doing | Reached | Done | Changed | Timing
Tell = Callable[[Event], None]
