"""The newest release once more, with the release command that failed or the dynos that did not come up."""

from __future__ import annotations

from deployer.errors.deploy import NothingDeployed
from deployer.errors.releases import NothingToRetry
from deployer.model.events import Tell
from deployer.model.release import Release
from deployer.operations.change import changing
from deployer.operations.release import Draft, make_release
from deployer.operations.session import OpenSpace


def retry(
    space: OpenSpace, app: str, tell: Tell, *, wait: float | None = None, watch: float | None = None
) -> tuple[Release, Release]:
    """Release the newest release's slug and config vars again: it, and the new one. NothingToRetry where it serves and
    has no release command."""
    with changing(space, app, "releases:retry", tell, wait) as change:
        newest = space.ledger.releases(app, 1)[0].release
        slug = space.ledger.slug(newest.slug) if newest.slug else None
        if slug is None:
            raise NothingDeployed(app)
        current = change.state.current
        if current and current.release == newest.number and "release" not in slug.process_types:
            raise NothingToRetry(app, newest.number)
        draft = Draft(
            kind="retry",
            description=f"Retry of {newest.name}: {newest.description}",
            slug=slug,
            config=space.ledger.config(app, newest.config),
            commit=newest.commit,
            commit_object=newest.commit_object,
            app_json=newest.app_json,
            watch=watch,
        )
        return newest, make_release(change, draft)
