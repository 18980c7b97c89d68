"""Releases as people name them."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import Failure, UsageFailure


@dataclass(eq=False)
class BadVersion(UsageFailure):
    """A word that names no release."""

    version: str

    headline = "`{version}` names no release."
    advice = "Releases are named like `v12`."


@dataclass(eq=False)
class NoReleaseOutput(Failure):
    """No host has the output of a release's command."""

    app: str
    release: int

    headline = "v{release} of ⬢ {app} has no output of a release command."
    seen = "Its slug has no `release` process type, or it is too long ago: hosts keep the output of the last 20."
