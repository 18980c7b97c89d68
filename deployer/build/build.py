"""From a source to a slug.

copy the source -> choose buildpacks -> plan -> follow the plans -> process types -> layers -> libraries, limits
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buildpacks.plan import BuildPlan, Target
from buildpacks.tree import Tree
from deployer.build import (
    choice,
    derived,
    image_facts,
    jail,
    libraries,
    limits,
    plain_files,
    platform_image,
    process_types,
    registry,
    tools,
)
from deployer.build.folders import cache_folder, open_lock
from deployer.build.image_facts import ImageFacts
from deployer.build.jail import Jail
from deployer.build.layer_cache import LayerCache, as_built
from deployer.build.scan import Scope, scan
from deployer.build.shelf import Shelf, own
from deployer.build.source import Source
from deployer.build.workshop import Workshop
from deployer.errors.build import CacheUnusable
from deployer.model.events import Step, Tell, Warn
from deployer.model.platforms import Platform
from deployer.model.slug import Built, BuiltLayer, Slug

WORK_KEPT = 3  # working copies: what is still being shipped may lie in one of the last


@dataclass(frozen=True, slots=True)
class Order:
    """What is built, for whom."""

    app: str
    platform: Platform
    buildpacks: tuple[str, ...]
    config: Mapping[str, str]


def build(
    source: Source,
    *,
    app: str,
    platform: Platform,
    buildpacks: tuple[str, ...],
    config: dict[str, str],
    tell: Tell,
    no_cache: bool = False,
) -> Built:
    """Build a source. Without `buildpacks` the language is detected. Raises Failures of `errors.build`,
    `errors.procfile` and `errors.platform_image`; none of them changes anything outside the app's build cache."""
    order = Order(app, platform, buildpacks, config)
    image = platform_image.ensure(platform, "build", tell)
    facts = image_facts.of_image(image, cache_folder() / "images")
    if no_cache:
        purge(app)
    with _own_folder(app, tell) as folder:
        work = _working_copy(folder, source, tell)
        tell(Step(f"Building on the {platform.system} platform"))
        plans = _plans(order, work / "app", image, LayerCache(folder / "layers"), tell)
        shop = _workshop(order, folder, work, image, source, tell)
        for plan in plans:
            tell(Step(f"{plan.language} app detected"))
            shop.follow(plan)
        return _finish(order, shop, plans, facts, source.commit)


def plan(
    source: Source, *, app: str, platform: Platform, buildpacks: tuple[str, ...], config: dict[str, str], tell: Tell
) -> list[BuildPlan]:
    """What `build` would do, without doing any of it."""
    order = Order(app, platform, buildpacks, config)
    image = platform_image.ensure(platform, "build", tell)
    with tempfile.TemporaryDirectory(prefix="deployer-plan-") as aside:
        for told in source.fill(Path(aside)):
            tell(Warn(told))
        return _plans(order, Path(aside), image, LayerCache(_folder(app) / "layers"), tell)


def purge(app: str) -> None:
    """Forget everything that builds of an app have kept."""
    folder = _folder(app)
    for name in ("layers", "cache", "work"):
        shutil.rmtree(folder / name, ignore_errors=True)


def forget(name: str) -> None:
    """Remove what builds of `SPACE/APP`, or of all apps of `SPACE`, have left on this machine."""
    shutil.rmtree(_folder(name), ignore_errors=True)


def _folder(app: str) -> Path:
    """`app` is SPACE/APP, or a plain name where no space is meant."""
    return cache_folder() / "builds" / app


@contextmanager
def _own_folder(app: str, tell: Tell) -> Iterator[Path]:
    """The app's folder, for one build at a time."""
    folder = _folder(app)
    try:
        (folder / "layers").mkdir(parents=True, exist_ok=True)
        (folder / "cache").mkdir(exist_ok=True)
        own(folder / "cache")
        lock = open_lock(folder / "lock")
    except OSError as error:
        raise CacheUnusable(str(folder), str(error)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(Step(f"Waiting for another build of {app} to end"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _working_copy(folder: Path, source: Source, tell: Tell) -> Path:
    (folder / "work").mkdir(exist_ok=True)
    old = sorted((folder / "work").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for outdated in old[WORK_KEPT - 1 :]:
        shutil.rmtree(outdated, ignore_errors=True)
    derived.forget(folder / "cache" / "derived")
    work = Path(tempfile.mkdtemp(dir=folder / "work"))
    (work / "app").mkdir()
    for told in source.fill(work / "app"):
        tell(Warn(told))
    _give(work / "app")
    return work


def _give(app: Path) -> None:
    """Everything in the working copy belongs to whoever builds."""
    if jail.builder() is None:
        return
    own(app)
    for path in app.rglob("*"):
        own(path)


def _plans(order: Order, app: Path, image: Path, cache: LayerCache, tell: Tell) -> list[BuildPlan]:
    facts = image_facts.of_image(image, cache_folder() / "images")
    tree = Tree.of_folder(app)
    names = choice.choose(tree, order.buildpacks, tell)
    target = Target(
        platform=str(order.platform),
        python=facts.python,
        uv=tools.uv_version(),
        config=order.config,
        previous=cache.noted("chosen") or {},
        published=registry.Published(image, cache_folder() / "published"),
    )
    return [choice.plan(name, tree, target) for name in names]


def _workshop(order: Order, folder: Path, work: Path, image: Path, source: Source, tell: Tell) -> Workshop:
    env = {"STACK": order.platform.system, "SOURCE_VERSION": source.commit or ""}
    return Workshop(
        shelf=Shelf(work, order.platform.architecture),
        box=Jail(image, work / "app", folder / "cache", env=env),
        cache=LayerCache(folder / "layers"),
        config=order.config,
        tell=tell,
    )


def _finish(order: Order, shop: Workshop, plans: Sequence[BuildPlan], facts: ImageFacts, commit: str | None) -> Built:
    shop.cache.note("chosen", {key: value for plan in plans for key, value in plan.chosen.items()})
    _write_profiles(shop.shelf.app, plans)
    types = process_types.discover(shop.shelf.app, plans[-1].process_types, shop.tell)
    hidden = frozenset(f"app/{path}".encode("utf-8", "surrogateescape") for path in shop.shelf.paths())
    scanned = scan(Scope(shop.shelf.folder, shop.shelf.machine, hidden | {b"records", b"changed"}))
    kept = shop.shelf.shipped()
    layers = (*(one.built for one in kept), as_built("app", shop.shelf.folder, scanned))
    for warning in libraries.check(order.platform, [*(one.scanned for one in kept), scanned], facts.libraries):
        shop.tell(Warn(warning))
    limits.check(layers, shop.tell)
    return Built(_slug(order, layers, types, plans, commit), layers)


def _write_profiles(app: Path, plans: Sequence[BuildPlan]) -> None:
    texts = {name: text for plan in plans for name, text in plan.profile.items()}
    folder = app / ".profile.d"
    if texts:
        plain_files.make_folder(folder)
    for name, text in texts.items():
        plain_files.write(folder / name, text.encode())


def _slug(
    order: Order, layers: Sequence[BuiltLayer], types: dict[str, str], plans: Sequence[BuildPlan], commit: str | None
) -> Slug:
    return Slug(
        platform=str(order.platform),
        layers=tuple(layer.layer for layer in layers),
        process_types=types,
        buildpacks=tuple(plan.buildpack for plan in plans),
        size=sum(layer.layer.size for layer in layers),
        commit=commit,
    )
