"""Records that the ledger alone reads and writes, with the keys that they stand at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigRecord:
    """`apps/A/config/DIGEST`."""

    vars: dict[str, str]
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """`uids/N`, `seats/N` and `domains/NAME`: who has the number, or the name."""

    owner: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`audit/TIME-ID`: one thing that somebody did."""

    who: str
    what: str
    app: str | None
    at: str
    schema: int = 1
