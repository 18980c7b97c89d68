"""What goes wrong between us and AWS."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import Failure


@dataclass(eq=False)
class CloudBroken(Failure):
    """The engine could not do all that it was to do. `problems` has a line or more for each thing, in AWS's words."""

    space: str
    problems: str

    headline = "Not everything of the space {space} could be done."
    seen = "{problems}"
    advice = """
        What was done is noted, and nothing is done twice. Mend the cause, then type the same command again.
        """


@dataclass(eq=False)
class StateLocked(Failure):
    """Pulumi's own lock of the state: another run, or one that was killed."""

    space: str

    headline = "Another run is at work on the cloud of {space}, or one was killed in the middle of it."
    advice = "`deployer spaces:unlock {space}` breaks the lock, once you know that nobody works."
