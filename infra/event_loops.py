"""The event loops in which Pulumi's library runs programs.

It closes each of them, but not where something that the program had left undone fails as it is cancelled, as where the
engine ends first: `LanguageServer.Run` of pulumi.automation raises before it gets there (seen with pulumi 3.267.0)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 5.0  # seconds that a thread gets to leave its loop, which is asked to end before


@dataclass(frozen=True, slots=True)
class Loops:
    """Those that programs ran in."""

    seen: list[asyncio.AbstractEventLoop] = field(default_factory=list)

    def note(self) -> None:
        """Remember the loop that this is called in."""
        self.seen.append(asyncio.get_running_loop())

    def close(self) -> None:
        """Close those that nobody runs any more."""
        deadline = time.monotonic() + PATIENCE
        for loop in self.seen:
            while loop.is_running() and time.monotonic() < deadline:
                time.sleep(0.01)
            if not loop.is_running() and not loop.is_closed():
                loop.close()


@contextmanager
def closing_loops() -> Iterator[Loops]:
    """Loops that are closed at the end of the block."""
    loops = Loops()
    try:
        yield loops
    finally:
        loops.close()
