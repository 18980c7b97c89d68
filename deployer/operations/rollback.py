"""A new release with the slug and the config vars of an older one."""

from __future__ import annotations

from deployer.errors.deploy import NoSuchRelease, NothingToRollBackTo, ReleaseNotEligible
from deployer.model.events import Tell
from deployer.model.release import Release
from deployer.operations.addons import attached_vars
from deployer.operations.change import Change, changing
from deployer.operations.release import Draft, make_release
from deployer.operations.session import OpenSpace
from deployer.remote.fan_out import fan_out

LOOKED_AT = 10  # releases in which the previous one is looked for, as on Heroku


def rollback(
    space: OpenSpace,
    app: str,
    number: int | None,
    tell: Tell,
    *,
    wait: float | None = None,
    watch: float | None = None,
) -> tuple[Release, Release]:
    """Roll back to vN, or to the release before the current one; return the target and the new release. The release
    command runs again; add-ons, their data and the formation stay as they are."""
    with changing(space, app, "rollback", tell, wait) as change:
        target = _previous(change) if number is None else _chosen(change, number)
        assert target.slug is not None
        slug = space.ledger.slug(target.slug)
        # What add-ons give is theirs: a release from before an add-on must not lose the app its database.
        attached = attached_vars(change.app, space.ledger.addons(app))
        config = {**space.ledger.config(app, target.config), **attached}
        draft = Draft(
            kind="rollback",
            description=f"Rollback to {target.name}",
            slug=slug,
            config=config,
            commit=target.commit,
            commit_object=target.commit_object,
            app_json=target.app_json,
            watch=watch,
        )
        if slug and space.space.kind == "aws":  # a host that has come since has the current release alone
            layers = [layer.digest for layer in slug.layers]
            request = change.fence.request(uid=change.app.uid, layers=layers)
            fan_out(space.sessions, lambda session: session.call("fetch", request))
        return target, make_release(change, draft)


def _previous(change: Change) -> Release:
    """The newest succeeded release with a slug that is not the current one."""
    assert change.state.current is not None
    for entry in change.space.ledger.releases(change.app.name, LOOKED_AT):
        succeeded = entry.result is not None and entry.result.status == "succeeded"
        if succeeded and entry.release.slug and entry.release.number != change.state.current.release:
            return entry.release
    raise NothingToRollBackTo(change.app.name)


def _chosen(change: Change, number: int) -> Release:
    release = change.space.ledger.release(change.app.name, number)
    if release is None:
        raise NoSuchRelease(change.app.name, number)
    result = change.space.ledger.result(change.app.name, number)
    if release.slug is None or result is None or result.status != "succeeded":
        raise ReleaseNotEligible(change.app.name, number)
    return release
