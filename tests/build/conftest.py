"""Builds of tests have a cache of their own; platform images, which take a minute to make, are the person's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.build.build import build
from deployer.build.folders import cache_folder
from deployer.build.source import from_folder
from deployer.model.events import Detail, Event, Output, Step, Warn
from deployer.model.manifest import decode
from deployer.model.platforms import parse
from deployer.model.slug import Built

APPS = Path(__file__).parent.parent / "apps"


@dataclass
class Told:
    """Everything that an operation told, as Heroku prints it."""

    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def text(self) -> str:
        return "\n".join(map(_line, self.events))


def _line(event: Event) -> str:
    match event:
        case Step():
            return f"-----> {event.title}"
        case Detail():
            return f"       {event.text}"
        case Output():
            return f"       {event.line}"
        case Warn():
            return f" !     {event.text}"
    return str(event)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    images = cache_folder() / "platforms"
    images.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "platforms").symlink_to(images)
    monkeypatch.setenv("DEPLOYER_CACHE", str(folder))
    return folder


Builder = Callable[..., Built]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def built(cache: Path, told: Told) -> Builder:
    """`built(folder, KEY="value")` builds the app `x` from a folder; what was told before is forgotten."""

    def run(folder: Path, *, buildpacks: tuple[str, ...] = (), no_cache: bool = False, **config: str) -> Built:
        told.events.clear()
        source = from_folder(folder)
        platform = parse("debian-13")
        return build(
            source, app="x", platform=platform, buildpacks=buildpacks, config=config, tell=told, no_cache=no_cache
        )

    return run


def paths(built: Built, name: str) -> dict[str, str]:
    """Kind by path below /app of everything in a layer."""
    (layer,) = [layer for layer in built.layers if layer.layer.name == name]
    return {entry.path.decode().removeprefix("app/"): entry.kind for entry in decode(layer.manifest)}


def digests(built: Built) -> dict[str, str]:
    """Digest by name of the slug's layers."""
    return {layer.name: layer.digest for layer in built.slug.layers}
