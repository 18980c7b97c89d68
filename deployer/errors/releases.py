"""Releases as people name them."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class BadVersion(UsageFailure):
    """A word that names no release."""

    version: str

    headline = "`{version}` names no release."
    advice = "Releases are named like `v12`."


class NothingToRetry(Failure):
    """The newest release serves, and has no release command that could run again."""

    app: str
    release: int

    headline = "There is nothing to retry: v{release} of ⬢ {app} serves, and has no release command."
    advice = "`deployer ps:restart -a {app}` starts its dynos anew."


class NoReleaseOutput(Failure):
    """No host has the output of a release's command."""

    app: str
    release: int

    headline = "v{release} of ⬢ {app} has no output of a release command."
    seen = "Its slug has no `release` process type, or it is too long ago: hosts keep the output of the last 20."
