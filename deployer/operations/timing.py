"""How long the steps of an operation took: what `--verbose` shows, and `make bench` reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from deployer.model.events import Tell, Timing


@contextmanager
def timed(tell: Tell, step: str) -> Iterator[None]:
    """Tell how long the block took, if it ended well."""
    before = monotonic()
    yield
    tell(Timing(step, monotonic() - before))
