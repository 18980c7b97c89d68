"""From a draft to a release that serves: what deploys, config changes, add-ons and rollbacks share.

record vN -> release command -> boot beside the old -> replace what has no port -> stage routes on every router ->
commit (`current` := vN) -> switch every router -> watch -> retire the old -> prune. Until the commit everything is
taken back on a failure or an interrupt, and the previous release serves on; after it nothing stops what is left to do.
Only a release that does badly while it is watched is switched back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from deployer.errors.base import Failure
from deployer.errors.deploy import ReleaseCommandFailed, SlugForAnotherPlatform
from deployer.model.events import Detail, Step, Tell, Warn
from deployer.model.formation import DEFAULT_SIZE, after_deploy
from deployer.model.platforms import parse as parse_platform
from deployer.model.process import Process, process_of
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.operations import phases
from deployer.operations.change import Change, changing, uninterrupted
from deployer.operations.converge import start, switch_to, taken_back_unless_committed
from deployer.operations.session import OpenSpace
from deployer.operations.timing import timed
from deployer.operations.watch import Launched, Outset, look, tell_felt, watch
from deployer.operations.web_url import web_url
from deployer.store.ledger import Ledger, ReleaseEntry

KEEP_RELEASES = 10  # succeeded releases whose layers stay on the hosts
LOOKED_AT = 40  # newest releases among which they are looked for


@dataclass(frozen=True, slots=True)
class Draft:
    """A release to be. `kind` names the operation; without a slug there is nothing to boot. `watch` says for how many
    seconds it is watched after the switch; None: for as long as it is worth. `before_commit` is what is to be looked at
    last."""

    kind: str
    description: str
    slug: Slug | None
    config: dict[str, str]
    commit: str | None = None
    commit_object: str | None = None
    app_json: str | None = None
    watch: float | None = None
    before_commit: Callable[[], None] = lambda: None


def redraft(change: Change, kind: str, description: str, config: dict[str, str]) -> Draft:
    """The current release again, with other config vars."""
    state, release = change.state, change.state.release
    assert release is not None, "every app has its first release"
    return Draft(kind, description, state.slug, config, release.commit, release.commit_object, release.app_json)


def make_release(change: Change, draft: Draft, outset: Outset | None = None) -> Release:
    """Make the draft the app's current release; raise, with the previous one serving, where it does not come up, or
    does badly in its first moments. A caller that has looked at the hosts says what it saw."""
    _check_platform(change, draft.slug)
    before = change.state
    with timed(change.tell, "record"):
        release = _record(change, draft)
    with taken_back_unless_committed(change, release):
        if draft.slug is None:
            change.enter(draft.kind, "boot", release.number, change.app.formation)
            switch_to(change, release.number, change.app.formation, [])
            launched = None
        else:
            launched = _launch(change, release, draft.slug, draft, outset)
    if launched:
        with timed(change.tell, "watch"):
            took = watch(change, before, launched, draft.watch)
    with uninterrupted(), timed(change.tell, "retire"):
        if launched:
            stayed = phases.retire(change.fence, [p for p in launched.old if p.dyno.release != release.number])
            tell_felt(change, launched, took, stayed)
        change.space.ledger.end_release(change.app.name, release.number, None)
        _remember_buildpacks(change, draft.slug)
        change.leave()
    return release


def _check_platform(change: Change, slug: Slug | None) -> None:
    wanted = str(parse_platform(change.space.space.platform))
    if slug is not None and slug.platform != wanted:
        raise SlugForAnotherPlatform(change.app.name, slug.platform, wanted)


def _remember_buildpacks(change: Change, slug: Slug | None) -> None:
    """What the first build detected stays: a package.json that is added later changes nothing, as on Heroku."""
    if slug is not None and not change.app.buildpacks:
        app = replace(change.app, buildpacks=slug.buildpacks)
        change.space.ledger.save_app(app)
        change.state = replace(change.state, app=app)


def _record(change: Change, draft: Draft) -> Release:
    ledger, app, current = change.space.ledger, change.app.name, change.state.current
    return ledger.new_release(
        app,
        Release(
            number=0,
            slug=ledger.save_slug(draft.slug) if draft.slug else None,
            config=ledger.save_config(app, draft.config),
            description=draft.description,
            user="",
            created="",
            commit=draft.commit,
            commit_object=draft.commit_object,
            app_json=draft.app_json,
        ),
        serving=current.release if current else 0,
    )


def _launch(change: Change, release: Release, slug: Slug, draft: Draft, outset: Outset | None) -> Launched:
    """Boot the release beside what runs, commit it and route to it."""
    process = process_of(change.app, release, slug, draft.config)
    if "release" in slug.process_types:
        change.enter(draft.kind, "release", release.number, change.app.formation)
        with timed(change.tell, "release command"):
            _run_release_command(change, release, process)
    formation = after_deploy(change.app.formation, slug.process_types)
    outset = outset or look(change.space, change.app.name)
    survey = outset.survey
    wanted = phases.place_dynos(change.space, change.app.name, release.number, formation, survey, anew=("web",))
    change.enter(draft.kind, "boot", release.number, formation)
    change.tell(Step(f"Launching {', '.join(p.dyno.name for p in wanted)}..." if wanted else "Launching..."))
    began = monotonic()
    with timed(change.tell, "boot"):
        dynos = start(change, process, release, wanted, survey.present)
    draft.before_commit()
    with timed(change.tell, "switch"):
        switched = switch_to(change, release.number, formation, dynos)
    return Launched(release, dynos, outset, switched, began)


def _run_release_command(change: Change, release: Release, process: Process) -> None:
    change.tell(Step("Running release command..."))
    size = change.app.formation.get("release")
    session = change.space.first
    try:
        status = phases.task(change.fence, process, session, size.size if size else DEFAULT_SIZE, change.tell)
    except KeyboardInterrupt:
        output = f"`deployer releases:output {release.name} -a {change.app.name}`"
        change.tell(Warn(f"The release command comes to its end by itself: {output} shows how."))
        raise
    if status != 0:
        raise ReleaseCommandFailed(change.app.name, release.number, process.commands["release"], status)


def change_config(
    space: OpenSpace,
    app: str,
    changes: Mapping[str, str | None],
    tell: Tell,
    *,
    description: str | None = None,
    wait: float | None = None,
    watch: float | None = None,
) -> Release:
    """Set the vars (None: unset) as one release, and restart what runs on it beside the old."""
    with changing(space, app, "config", tell, wait) as change:
        merged = {**change.state.config, **changes}
        config = {key: value for key, value in merged.items() if value is not None}
        draft = redraft(change, "config", description or describe(changes), config)
        return make_release(change, replace(draft, watch=watch))


def describe(changes: Mapping[str, str | None]) -> str:
    """Heroku's description of a config change: `Set A, B config vars`."""
    put = sorted(key for key, value in changes.items() if value is not None)
    gone = sorted(key for key, value in changes.items() if value is None)
    parts = [f"{verb} {', '.join(keys)}" for verb, keys in (("Set", put), ("Remove", gone)) if keys]
    return f"{', '.join(parts)} config var{'s' if len(changes) > 1 else ''}"


def prune(change: Change) -> None:
    """Remove from the hosts the layers that neither the current nor a kept release has; nothing fails for it."""
    try:
        with timed(change.tell, "prune"):
            phases.prune(change.space, change.fence, kept_layers(change.space.ledger, change.app.name))
    except Failure as failure:
        change.tell(Warn(f"Old releases could not be removed from the hosts: {failure.paragraphs()[0]}"))


def kept_layers(ledger: Ledger, app: str) -> list[str]:
    """The layers of the releases that can be asked for: the last ten that succeeded."""
    digests = sorted(set(kept(ledger.releases(app, LOOKED_AT))))
    return sorted({layer.digest for slug in ledger.slugs(digests) for layer in slug.layers})


def kept(entries: Sequence[ReleaseEntry]) -> list[str]:
    """The digests of their slugs."""
    succeeded = [one for one in entries if one.result and one.result.status == "succeeded"]
    return [one.release.slug for one in succeeded[:KEEP_RELEASES] if one.release.slug]


def told_serving(change: Change, release: Release) -> None:
    """The last lines of a deploy: its number and where it answers."""
    change.tell(Detail(f"Released {release.name}"))
    change.tell(Detail(f"{web_url(change.space, change.app.name)} deployed to {change.space.space.name}"))
