"""An app as the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from deployer.model.formation import Quantity


@dataclass(frozen=True, slots=True)
class Attachment:
    """An add-on under a name: `DATABASE` makes its URL the config var `DATABASE_URL`."""

    name: str
    addon: str


@dataclass(frozen=True, slots=True)
class App:
    """`apps/A/app`: what outlives releases. `uid` owns the app's files and processes on every host, never reused.
    `domains` are the names that people have added, `redirect` sends HTTP to HTTPS where a name has a certificate."""

    name: str
    uid: int
    created: str
    buildpacks: tuple[str, ...] = ()
    formation: dict[str, Quantity] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    maintenance: bool = False
    domains: tuple[str, ...] = ()
    redirect: bool = True
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Current:
    """`apps/A/current`: the commit point. `generation` grows with every change of the app's routes. The release's
    digests are repeated here by the ledger, so that a state is two reads and not three."""

    release: int
    generation: int
    config: str | None = None
    slug: str | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """`apps/A/operation`: what a command is in the middle of, written before each phase, deleted at its end.
    `generation` is the one that it would commit; None where an older tool wrote it."""

    kind: str  # deploy, config, rollback, scale, restart ...
    phase: str  # release, boot; undo, as it is taken back
    release: int  # the one being made, or the current one where none is
    previous: int | None
    token: int
    formation: dict[str, Quantity] = field(default_factory=dict)
    generation: int | None = None
    schema: int = 1

    def is_in(self, current: Current | None) -> bool:
        """Whether the operation came to its commit point."""
        if current is None or current.release != self.release or self.phase == "undo":
            return False
        return self.generation is None or current.generation >= self.generation
