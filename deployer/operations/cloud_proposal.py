"""What commands would do to a space in AWS, as values: what `up` and commands on apps propose, and `down`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from deployer.spaces.aws.domain import Domain
from deployer.spaces.aws.places import Place
from deployer.spaces.aws.proof import Left
from deployer.spaces.aws.record import NO_PINS, Pins, Record
from deployer.store.backups import Stock
from infra.changes import Change
from infra.kinds import DATABASE
from infra.spec import Spec

Alter = Callable[[Spec], Spec]
"""What becomes of the specification that is in force, whether it has been done to it already or not."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What `up` would do: `before` is the specification that is in force, None where there is no such space;
    `changes` are None where everything is new; `domain` is how far that is, and `places` are where records of further
    ones go; `known` is what is noted of the space; `pins` are to move with it.

    `alter` is what a command on an app does to the specification, whatever that is by then; None where deployer.toml,
    or nobody, says what it is to be. `command` is that command, where it is not `up`; with `keep` a last snapshot of
    what it deletes stays."""

    name: str
    account: str
    before: Spec | None
    after: Spec
    changes: tuple[Change, ...] | None
    domain: Domain | None = None
    known: Record | None = None
    pins: Pins = NO_PINS
    alter: Alter | None = None
    command: str = ""
    keep: bool = True
    places: tuple[Place, ...] = ()

    def onto(self, known: Record) -> Record:
        """What is noted of the space when it is done, where `known` is noted now."""
        spec = self.alter(known.spec) if self.alter else self.after.keeping(known.spec)
        return self.pins.onto(replace(known, spec=spec))

    @property
    def holder(self) -> str:
        """What holds the space's lease meanwhile, as others get to know it."""
        return f"deployer {self.command or 'up'}"

    @property
    def again(self) -> str:
        """What to type where it was cut off."""
        return self.holder if self.command else f"deployer up --space {self.name}"

    def place(self, domain: str) -> Place | None:
        """Where the records of a further domain go, if Route 53 has its zone."""
        return next((one for one in self.places if one.domain == domain), None)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return self.changes == () and self.before == self.after

    @property
    def gone(self) -> tuple[str, ...]:
        """The databases that go while the space stays, by what the program calls them."""
        return tuple(one.name for one in self.changes or () if (one.verb, one.kind) == ("delete", DATABASE))


@dataclass(frozen=True, slots=True)
class Departure:
    """What `down` would take down; `spec` is None where nothing says what there is. `foreign`: what others have put
    into its network, which keeps AWS from deleting it. `apps`, `databases` (APP: ADD-ON) and `backups` go with it, None
    where its ledger does not say them."""

    name: str
    account: str
    region: str
    spec: Spec | None
    foreign: tuple[Left, ...] = ()
    apps: tuple[str, ...] | None = None
    databases: tuple[str, ...] = ()
    backups: Stock | None = None
