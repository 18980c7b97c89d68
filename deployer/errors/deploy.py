"""Deploys and rollbacks: what can go wrong between a source and a release that serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployer.errors.base import Failure


class ReleaseCommandFailed(Failure):
    """The release command ended with another status than 0."""

    app: str
    release: int
    command: str
    status: int

    headline = "The release command of v{release} failed with exit status {status}."
    seen = "It ran `{command}`."
    advice = "Its output is above, and in `deployer releases:output v{release} -a {app}`. Mend it and deploy again."


class SwitchedBack(Failure):
    """A release that did badly in its first moments. `lines` are the last ones that its dynos printed."""

    app: str
    release: int
    previous: int
    reason: str
    lines: Sequence[str] = ()

    headline = "v{release} of {app} was switched back to v{previous}: {reason}."
    seen = "{log}"
    advice = (
        "`deployer logs -a {app}` has more. Mend it and deploy again; `deployer deploy --watch 0` keeps such a release."
    )

    def facts(self) -> dict[str, Any]:
        """The fields, and the lines as text."""
        return {**super().facts(), "log": "\n".join(self.lines)}


class NothingToRun(Failure):
    """A slug without any process type. Heroku releases it, and the app answers H14 from then on."""

    app: str

    headline = "There is nothing to run in this source: {app} would have no process types."
    seen = "It has no Procfile, and its buildpack knows no command that would start it."
    advice = "Put a file `Procfile` into its root, like `web: gunicorn mysite.wsgi`, and deploy again."


class SlugForAnotherPlatform(Failure):
    """A slug that was built for other hosts than those of the space."""

    app: str
    slug: str
    space: str

    headline = "This slug of {app} was built for {slug}, and the hosts of its space are {space}."
    advice = "Deploy the source again: that builds it for {space}."


class NothingDeployed(Failure):
    """The app has no slug yet."""

    app: str

    headline = "Nothing has been deployed to {app} yet."
    advice = "Deploy first: `git push deployer main`, or `deployer deploy` in the app's folder."


class NothingToRollBackTo(Failure):
    """There is no earlier release that succeeded."""

    app: str

    headline = "{app} has no earlier release that could be rolled back to."
    advice = "`deployer releases -a {app}` lists its releases."


class NoSuchRelease(Failure):
    """No release has that number."""

    app: str
    release: int

    headline = "{app} has no release v{release}."
    advice = "`deployer releases -a {app}` lists its releases."


class ReleaseNotEligible(Failure):
    """A release that never served cannot be rolled back to."""

    app: str
    release: int

    headline = "v{release} of {app} is not eligible for a rollback."
    seen = "It failed, is still pending, or came before the first deploy."
    advice = "`deployer releases -a {app}` lists its releases."


class PostdeployFailed(Failure):
    """The script that app.json wants to run once after the first release failed."""

    app: str
    command: str
    status: int

    headline = "The app serves, but its postdeploy script failed with exit status {status}."
    seen = "It ran `{command}`."
    advice = "Its output is above. Run it again with `deployer run -a {app} -- {command}`."
