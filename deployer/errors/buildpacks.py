"""The list of an app's buildpacks."""

from __future__ import annotations

from deployer.errors.base import Failure


class BuildpackTwice(Failure):
    """It is in the list already."""

    buildpack: str

    headline = "The buildpack {buildpack} is already set on this app."
    advice = "`deployer buildpacks` lists them."


class BuildpackUnset(Failure):
    """It is not in the list."""

    buildpack: str
    known: str

    headline = "The buildpack {buildpack} is not set on this app."
    seen = "Set: {known}."
    advice = "`deployer buildpacks` lists them."
