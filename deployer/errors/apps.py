"""Apps: names that are taken, unknown, or none at all."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class AppNotFound(Failure):
    """No such app in the space."""

    app: str
    space: str

    headline = "Couldn't find the app {app} in the space {space}."
    advice = "`deployer apps` lists the apps that there are, `deployer create {app}` makes it."


class AppExists(Failure):
    """The name is taken."""

    app: str
    space: str

    headline = "The name {app} is already taken in the space {space}."
    advice = "Choose another, or use it with `-a {app}`."


class BadAppName(UsageFailure):
    """A name that no app can have."""

    app: str

    headline = "`{app}` cannot name an app."
    advice = "3 to 30 lower-case letters, digits and dashes; a letter first, no dash last."


class NoApp(UsageFailure):
    """Nothing says which app is meant."""

    headline = "Which app?"
    seen = "Neither a flag, nor DEPLOYER_APP, nor a git remote, nor deployer.toml names one."
    advice = "Name one with `-a APP`, or make one with `deployer create`."


class SeveralApps(UsageFailure):
    """Several apps fit. `found` holds one line each: `shop (remote deployer)`."""

    found: str

    headline = "Several apps fit:"
    seen = "{found}"
    advice = "Name one with `-a SPACE/APP` or `-r REMOTE`."


class SeveralSpaces(UsageFailure):
    """Several spaces fit."""

    names: str

    headline = "Which space? There are several: {names}."
    advice = "Name one with `--space SPACE`, or the app with `-a SPACE/APP`."


class SpaceUnknown(Failure):
    """This machine has no pointer to that space."""

    space: str
    known: str  # `sandbox, production`, or `none`

    headline = "Couldn't find the space {space}."
    seen = "Known on this machine: {known}."
    advice = "`deployer spaces:create {space}` makes one, `deployer spaces` lists them."


class NoSpace(Failure):
    """This machine knows no space at all."""

    headline = "There is no space yet."
    advice = "`deployer spaces:create sandbox` makes one on this machine, in seconds."


class RemoteUnknown(UsageFailure):
    """The checkout has no such git remote, or one that leads elsewhere."""

    remote: str
    found: str

    headline = "The git remote {remote} does not lead to an app."
    seen = "Remotes that do: {found}."
    advice = "`deployer git:remote -a SPACE/APP -r {remote}` makes one."


class NotConfirmed(Failure):
    """The name typed was another one."""

    name: str

    headline = "Confirmation did not match {name}. Aborted."


class ConfirmationNeeded(UsageFailure):
    """Nobody is there to be asked."""

    name: str

    headline = "This needs a confirmation, and there is no terminal to ask at."
    advice = "Re-run this command with `--confirm {name}`."
