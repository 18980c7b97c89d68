"""Releases: numbered, immutable; what became of one stands in its result."""

from __future__ import annotations

import re
from dataclasses import dataclass

INITIAL = "Initial release"


@dataclass(frozen=True, slots=True)
class Release:
    """`apps/A/releases/00000042`. `slug` and `config` are digests; `commit_object` is the raw commit in base64, which
    lets a remote helper advertise a commit that the user's clone does not have."""

    number: int
    slug: str | None
    config: str
    description: str
    user: str
    created: str
    commit: str | None = None
    commit_object: str | None = None
    app_json: str | None = None
    schema: int = 1

    @property
    def name(self) -> str:
        """As people say it: `v42`."""
        return f"v{self.number}"


@dataclass(frozen=True, slots=True)
class Result:
    """`apps/A/releases/00000042.result`: `succeeded`, or `failed` with the reason. A release without one is pending."""

    status: str
    ended: str
    reason: str | None = None
    schema: int = 1


def parse_version(text: str) -> int | None:
    """42 for `v42` or `42`."""
    found = re.fullmatch(r"v?([1-9][0-9]{0,7})", text)
    return int(found[1]) if found else None
