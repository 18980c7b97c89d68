"""What every component is: a noun of a space, whose parts carry its name in their tags."""

from __future__ import annotations

from typing import Any

import pulumi

TOOL = "deployer"


class Noun(pulumi.ComponentResource):
    """A noun of a space. `inside` are the options of its parts."""

    def __init__(self, space: str, noun: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"{TOOL}:aws:{noun}", f"{space}-{noun}", None, opts)
        self.space, self.noun = space, noun
        self.inside = pulumi.ResourceOptions(parent=self)

    def tags(self, logical: str) -> dict[str, str]:
        """By these a thing is found whose making was cut off: before it was noted that it is there."""
        return {
            "Name": f"{TOOL}-{self.space}-{logical}",
            f"{TOOL}:space": self.space,
            f"{TOOL}:noun": self.noun,
            f"{TOOL}:name": logical,
            f"{TOOL}:tool": TOOL,
        }

    def leave(self, **outputs: Any) -> None:
        """Finish, with what others may know of it."""
        self.register_outputs(outputs)
