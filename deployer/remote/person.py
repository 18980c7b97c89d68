"""Who can be asked while hosts are reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Person:
    """Who can be asked: `yes` for an answer that may be seen, `secret` for a passphrase; None where nobody is there."""

    answer: Ask | None = None
    secret: Ask | None = None


NOBODY = Person()
