"""Who counts in a space: the numbered list that each of its hosts keeps."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Roll:
    """One host's copy. `host` is whose it is, `peers` the private addresses of the other hosts that count, `out` the
    hosts that are left out, with the number since which they are. `ports` are those that a router which is left out may
    still name: the host itself fills them in."""

    number: int = 0
    host: str = ""
    peers: tuple[str, ...] = ()
    out: dict[str, int] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    schema: int = 1

    @property
    def counts(self) -> bool:
        """Whether the host itself does, as far as it was told."""
        return self.host not in self.out
