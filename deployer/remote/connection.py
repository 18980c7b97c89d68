"""What the agent's caller needs of a connection: programs on a host, with pipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Pipe(Protocol):
    """A program on a host. Reading and writing may happen in two threads. Foreign errors end in `Broken`."""

    def write(self, data: bytes) -> None:
        """Send bytes to its standard input; Broken where it is gone."""

    def read(self, most: int) -> bytes:
        """At most `most` bytes of its standard output, as soon as there are any; empty at the end."""
        ...

    def close_writing(self) -> None:
        """End its standard input."""

    def close(self) -> None:
        """Let go of it."""

    def errors(self) -> str:
        """What it wrote to standard error: so far, or all of it once it has ended."""
        ...

    def ends_within(self, patience: float) -> bool:
        """Whether it ends, or the connection does, within `patience` seconds."""
        ...

    def wait(self) -> int:
        """Its exit status; -1 where the connection ended first."""
        ...


class Connection(Protocol):
    """An authenticated way to one host."""

    def open(self, words: Sequence[str]) -> Pipe:
        """Start a program; Broken where the connection is gone."""
        ...

    def close(self) -> None:
        """End it, and every program's pipes with it."""


class Broken(Exception):
    """The connection is gone; the message is the system's own words."""
