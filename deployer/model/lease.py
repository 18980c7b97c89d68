"""The expiring, numbered right to change an app or the space."""

from __future__ import annotations

from dataclasses import dataclass

TIME_TO_LIVE = 60.0  # seconds
RENEW_EVERY = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Lease:
    """`leases/X`. `token` grows by one at every take; a free lease has no holder. `expires` is by the store's clock,
    in seconds since 1970. `machine` tells processes of one machine from those of another with the same name."""

    token: int
    holder: str | None = None  # a random id of the process that holds it
    user: str = ""
    host: str = ""
    pid: int = 0
    command: str = ""
    expires: float = 0.0
    machine: str = ""
    schema: int = 1

    def is_held(self, now: float) -> bool:
        """Whether somebody holds it at `now` of the store's clock."""
        return self.holder is not None and now < self.expires
