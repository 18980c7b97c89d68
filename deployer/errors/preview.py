"""Previews: regions that are none, specifications that cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import Failure, UsageFailure


@dataclass(eq=False)
class RegionUnknown(UsageFailure):
    """No region of AWS. `hint` names the nearest, or is empty."""

    region: str
    hint: str  # ` Did you mean eu-central-1?`

    headline = "`{region}` is no region of AWS.{hint}"
    advice = "Name one like us-east-1 or eu-central-1 with --region."


@dataclass(eq=False)
class SpecificationBroken(Failure):
    """A space of deployer.toml that cannot be. `problems` has one line each, with the path in the file."""

    problems: str

    headline = "deployer.toml describes a space that cannot be:"
    seen = "{problems}"
    advice = "Mend these lines, then try again."


@dataclass(eq=False)
class SpaceNotProposed(Failure):
    """deployer.toml has no such space."""

    space: str
    known: str  # `production, staging`, or `none`

    headline = "deployer.toml proposes no space {space}."
    seen = "It proposes: {known}."
    advice = 'Describe it there: `[space.{space}]`, and below it `region = "eu-central-1"`.'
