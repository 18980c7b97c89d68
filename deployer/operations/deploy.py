"""From a source to a release that serves.

lease -> build -> ship to every host -> release (see `operations.release`) -> prune hosts and store. Building and
shipping change nothing that users of the app can see; where a step fails the previous release serves on.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

import deployer.operations.attendance  # noqa: F401 - what `changing` will need is loaded while hosts are dialled
from deployer.build import elsewhere
from deployer.build.build import build
from deployer.build.source import Source
from deployer.errors.deploy import NothingToRun
from deployer.model.app_json import parse as parse_app_json
from deployer.model.events import Detail, Step, Tell, Timing
from deployer.model.platforms import parse as parse_platform
from deployer.model.release import Release
from deployer.model.slug import Built, Slug
from deployer.model.space import Space
from deployer.operations import store_layers
from deployer.operations.change import Change, changing
from deployer.operations.release import Draft, make_release, prune, told_serving
from deployer.operations.session import OpenSpace
from deployer.operations.timing import timed
from deployer.operations.watch import Outset, look
from deployer.ship.ship import Shipped, ship
from deployer.ship.through_store import have, ship_through
from deployer.store.s3 import S3Store


@dataclass(frozen=True, slots=True)
class Order:
    """What to deploy. `commit_object` is the raw commit in base64, for pushes; `again` releases an unchanged slug;
    `watch` is for how many seconds it is watched (None: for as long as it is worth); `on_host` builds on a host of the
    space, which happens by itself where this machine cannot build."""

    source: Source
    description: str
    commit_object: str | None = None
    no_cache: bool = False
    again: bool = False
    watch: float | None = None
    on_host: bool = False


def deploy(space: OpenSpace, app: str, order: Order, tell: Tell, *, wait: float | None = None) -> Release | None:
    """Build, ship and release a source. None where this very slug already is the current release."""
    with changing(space, app, "deploy", tell, wait) as change:
        return deploy_held(change, order)


def deploy_held(change: Change, order: Order) -> Release | None:
    """`deploy` for a caller that already holds the app's lease."""
    if order.source.app_json:
        parse_app_json(order.source.app_json)  # what is wrong in it is said before anything is built
    why = _why_on_host(change.space.space, order)
    built, outset = _build_and_look(change, order, why)
    if not built.slug.process_types:
        raise NothingToRun(change.app.name)
    if _is_current(change, built.slug) and not order.again:
        assert change.state.release is not None
        change.tell(Step(f"Nothing changed: {change.state.release.name} already serves this"))
        return None
    draft = _draft(change, order, built)
    if change.space.space.kind == "aws":
        draft = replace(draft, before_commit=_ship_through_store(change, built, on_host=bool(why)))
    else:
        _ship(change, _taken_over(change, built) if why else built)
    release = make_release(change, draft, outset)
    told_serving(change, release)
    prune(change)
    store_layers.prune(change.space, change.app.name, change.tell)
    return release


def _is_current(change: Change, slug: Slug) -> bool:
    """Whether the current release has these very layers and processes. A folder has no commit: whichever the current
    slug came from is as good."""
    current = change.state.slug
    return current is not None and replace(slug, commit=slug.commit or current.commit) == current


def _why_on_host(space: Space, order: Order) -> str | None:
    """Why the build happens on a host, where it does. Hosts of a sandbox have no way to package indexes: theirs only
    when asked."""
    if order.on_host:
        return "as you asked"
    return None if space.kind == "sandbox" else elsewhere.why_not_here(parse_platform(space.platform))


def _taken_over(change: Change, built: Built) -> Built:
    """Layers that were built on the first host: in its store, and here for the other hosts, where there are any."""
    first = change.space.first
    elsewhere.hand_over(first, change.fence.request(), change.app.uid, built)
    return elsewhere.fetched(first, built) if len(change.space.sessions) > 1 else built


def _build_and_look(change: Change, order: Order, why: str | None) -> tuple[Built, Outset]:
    """Build here, or on a host because of `why`; meanwhile ask the hosts what runs there: nobody else may change that
    while the lease is held."""
    with ThreadPoolExecutor(1) as thread:
        outset = thread.submit(look, change.space, change.app.name)
        with timed(change.tell, "build"):
            built = _build(change, order, why)
        return built, outset.result()


def _build(change: Change, order: Order, why: str | None) -> Built:
    app = f"{change.space.space.name}/{change.app.name}"
    platform = parse_platform(change.space.space.platform)
    buildpacks, config = change.app.buildpacks, change.state.config
    if why:
        wanted = elsewhere.Order(order.source, app, platform, buildpacks, config, order.no_cache)
        return elsewhere.build(change.space.first, wanted, why, change.tell)
    return build(
        order.source,
        app=app,
        platform=platform,
        buildpacks=buildpacks,
        config=config,
        tell=change.tell,
        no_cache=order.no_cache,
    )


def _ship(change: Change, built: Built) -> None:
    hosts = len(change.space.sessions)
    change.tell(Step(f"Shipping to {hosts} host{'s' if hosts > 1 else ''}..."))
    before = monotonic()
    fence = change.fence
    shipped = ship(
        change.space.sessions,
        fence.app,
        change.app.uid,
        fence.token,
        built,
        change.state.slug,
        epoch=fence.epoch,
    )
    _tell_shipped(change, shipped, before)


def _ship_through_store(change: Change, built: Built, *, on_host: bool) -> Callable[[], None]:
    """By way of the space's store, where hosts that join later find it, too; what makes it be there once more, should
    somebody have taken it for old."""
    store = change.space.ledger.store.beneath
    assert isinstance(store, S3Store), "the ledger of a space in AWS lies in a bucket"
    hosts = len(change.space.sessions)
    change.tell(Step(f"Shipping to {hosts} host{'s' if hosts > 1 else ''}, through {store.address}..."))
    before, builder = monotonic(), change.space.first if on_host else None
    if builder:
        elsewhere.hand_over(builder, change.fence.request(), change.app.uid, built)
    request = change.fence.request(uid=change.app.uid)
    shipped = ship_through(store, change.space.sessions, request, built, builder, change.state.slug)
    _tell_shipped(change, shipped, before)

    def have_it() -> None:
        have(store, request, built, builder)

    return have_it


def _tell_shipped(change: Change, shipped: Shipped, since: float) -> None:
    change.tell(Timing("ship", monotonic() - since, shipped.bytes))
    change.tell(Detail(f"Done: {size(shipped.bytes)} in {shipped.blobs} new file{'' if shipped.blobs == 1 else 's'}"))


def _draft(change: Change, order: Order, built: Built) -> Draft:
    return Draft(
        kind="deploy",
        description=order.description,
        slug=built.slug,
        config=change.state.config,
        commit=order.source.commit,
        commit_object=order.commit_object,
        app_json=order.source.app_json,
        watch=order.watch,
    )


def size(count: int) -> str:
    """Bytes as Heroku prints a slug's: `43.4M`, `2.1K`."""
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.1f}{unit}"
    return f"{count}B"
