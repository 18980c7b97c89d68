"""The user's git checkout."""

from __future__ import annotations

from deployer.errors.base import Failure


class GitRefused(Failure):
    """git said no."""

    command: str
    reason: str

    headline = "`{command}` failed."
    seen = "{reason}"


class NoSuchCommit(Failure):
    """A reference that names no commit of the checkout. `reason` is git's."""

    ref: str
    reason: str

    headline = "`{ref}` names no commit here."
    seen = "{reason}"
    advice = "`git log --oneline` lists commits; a branch, a tag or `HEAD~1` will do as well."


class NoCheckout(Failure):
    """A command that needs a git checkout, outside of one."""

    headline = "This folder is no git checkout."
    advice = "`git init` makes it one."
