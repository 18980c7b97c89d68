"""A slug: ordered layers and process types for one platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOFT_LIMIT = 300 << 20  # bytes, compressed; Heroku warns here
HARD_LIMIT = 500 << 20  # bytes, compressed; Heroku refuses here


@dataclass(frozen=True, slots=True)
class Layer:
    """One content-addressed part of a slug. `digest` is the sha256 of its manifest, `size` the sum of its files."""

    name: str
    digest: str
    size: int
    files: int


@dataclass(frozen=True, slots=True)
class Slug:
    """`slugs/DIGEST`. Layers stand from the lowest to the uppermost; paths in them begin with `app/`."""

    platform: str
    layers: tuple[Layer, ...]
    process_types: dict[str, str]
    buildpacks: tuple[str, ...]
    size: int
    commit: str | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """A layer on the machine that built it: its manifest, and the folder below which the manifest's paths lie."""

    layer: Layer
    manifest: bytes
    root: Path


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: the slug, and its layers from the lowest to the uppermost."""

    slug: Slug
    layers: tuple[BuiltLayer, ...]
