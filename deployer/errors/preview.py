"""Previews: regions that are none."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import UsageFailure


@dataclass(eq=False)
class RegionUnknown(UsageFailure):
    """No region of AWS. `hint` names the nearest, or is empty."""

    region: str
    hint: str  # ` Did you mean eu-central-1?`

    headline = "`{region}` is no region of AWS.{hint}"
    advice = "Name one like us-east-1 or eu-central-1 with --region."
