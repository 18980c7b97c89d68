"""How large a slug may be; compressed bytes count, so that only what does not shrink is too large."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployer.build import limits
from deployer.build.layer_cache import as_built
from deployer.build.scan import Scope, scan
from deployer.errors.build import SlugTooLarge
from deployer.model.events import Event, Warn
from deployer.model.slug import BuiltLayer

MB = 1 << 20
LIMITS = {"soft": 2 * MB, "hard": 5 * MB}


def layer(root: Path, size: int) -> BuiltLayer:
    """A file of so many MB of noise."""
    (root / "app/media").mkdir(parents=True)
    (root / "app/media/noise").write_bytes(os.urandom(size * MB))
    return as_built("app", root, scan(Scope(root, "amd64")))


def test_a_small_slug_is_fine(tmp_path: Path) -> None:
    told: list[Event] = []
    limits.check([layer(tmp_path, 1)], told.append, **LIMITS)
    assert told == []


def test_what_shrinks_may_be_large(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    with (tmp_path / "app/zeros").open("wb") as stream:
        stream.truncate(9 * MB)
    told: list[Event] = []
    limits.check([as_built("app", tmp_path, scan(Scope(tmp_path, "amd64")))], told.append, **LIMITS)
    assert told == []


def test_above_the_soft_limit_is_a_warning_in_herokus_words(tmp_path: Path) -> None:
    told: list[Event] = []
    limits.check([layer(tmp_path, 3)], told.append, **LIMITS)
    assert told == [Warn("Warning: Your slug size (3 MB) exceeds our soft limit (2 MB) which may affect boot time.")]


def test_above_the_hard_limit_names_the_largest_folders(tmp_path: Path) -> None:
    with pytest.raises(SlugTooLarge) as large:
        limits.check([layer(tmp_path, 6)], lambda event: None, **LIMITS)
    assert str(large.value).startswith("Compiled slug size: 6.0M is too large (max is 5M).")
    assert "6.0 MB  media" in large.value.largest
