"""Which deployer this is."""

from __future__ import annotations

VERSION = "0.1.0"


def is_older(ours: str, theirs: str) -> bool:
    """Whether version `ours` came before `theirs`; versions are numbers with dots."""
    return _numbers(ours) < _numbers(theirs)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
