"""The ledger: what it does not hold, or holds otherwise than expected."""

from __future__ import annotations

from deployer.errors.base import Failure


class RecordChanged(Failure):
    """A write whose condition no longer held: another command wrote the record since it was read here."""

    key: str

    headline = "Another command changed `{key}` in the meantime."
    advice = "Nothing was written. Run the command again."


class SpaceEmpty(Failure):
    """The store has no `space` record."""

    headline = "The store of this space holds no space."
    advice = "Its creation was cut off, or it was taken down. `deployer spaces` lists what you have."


class ToolTooOld(Failure):
    """A newer deployer has changed this space."""

    space: str
    ours: str
    theirs: str

    headline = "The space {space} was changed by deployer {theirs}; this is {ours}."
    seen = "An older one may read it, but could drop what it does not know."
    advice = "Upgrade deployer, then run the command again."
