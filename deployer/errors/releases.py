"""Releases as people name them."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import UsageFailure


@dataclass(eq=False)
class BadVersion(UsageFailure):
    """A word that names no release."""

    version: str

    headline = "`{version}` names no release."
    advice = "Releases are named like `v12`."
