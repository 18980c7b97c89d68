"""`git push`: what git asks of a remote helper that it cannot have."""

from __future__ import annotations

from deployer.errors.base import Failure


class BadRemoteUrl(Failure):
    """A remote whose address is not of the form that names an app."""

    url: str

    headline = "`{url}` does not name an app."
    advice = "A remote of deployer is spelled deployer::SPACE/APP; `deployer git:remote -a SPACE/APP` makes one."


class FetchNotSupported(Failure):
    """There is no server: commits stay in the repositories of those who push."""

    space: str
    app: str

    headline = "deployer::{space}/{app} takes pushes only."
    seen = "No server keeps the source: what serves was built on the computer that pushed it."
    advice = "Fetch from where your team keeps its repository."


class BadPushOption(Failure):
    """`git push -o` with something that means nothing here."""

    option: str

    headline = "git push -o {option} means nothing here."
    advice = "There is `git push -o watch=SECONDS`: watch the release so long before the old dynos go; 0: not at all."
