"""Ranges of versions, against a table and against npm itself."""

from __future__ import annotations

import json
import subprocess

import pytest

from buildpacks.node import semver
from buildpacks.node.semver import NotARange
from deployer.build import npm_tool

PUBLISHED = [
    *("0.0.1", "0.0.3", "0.1.0", "0.2.3", "0.2.9", "1.0.0", "1.2.0", "1.2.3", "1.3.0", "2.0.0", "2.1.0", "9.11.2"),
    *("18.0.0", "18.20.4", "20.0.0", "20.9.0", "20.19.5", "22.1.0", "22.12.0", "23.9.0", "24.0.0", "24.11.1", "26.0.0"),
    *("22.13.0-rc.1", "27.0.0-nightly20261101"),
]
RANGES = [
    *("20.x", "20", "20.X", "20.*", "20.9", "20.9.x", "20.9.0", "v20.9.0", "=20.9.0", "= 20.9.0", "v20", "20.x.x"),
    *("^20.1.0", "^20", "^20.9", "^0.2.3", "^0.0.3", "^0.0", "^0", "^0.x", "^1.2.x", "^ 20.1", "^0.0.x", "^*"),
    *("~20.9.0", "~20.9", "~20", "~> 20.9", "~1.2.3", "~0.0.1", "~0"),
    *(">=18", ">=18.20.4", ">18", ">18.20", ">18.20.4", "<20", "<=20", "<=20.9", "<20.9.0", ">= 18 < 22", ">=18 <22"),
    *("18 - 22", "18.20.4 - 20", "1.2.3 - 2.0.0", "18.x - 20.x", "18 || 22", "18||>=24 <26", "^18.0 || ^20.0 || 99"),
    *("*", "", "x", "X", ">=99", "<0.0.1", "99.x", ">=20.0.0 <20.0.0", "  20.x  ", ">*", "<*", ">=*", "<=*"),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20.x", "20.19.5"),
        ("^20.1.0", "20.19.5"),
        ("~20.9", "20.9.0"),
        ("18 - 22", "22.12.0"),
        ("18||>=24 <26", "24.11.1"),
        (">=18", "26.0.0"),
        ("^0.2.3", "0.2.9"),
        (">18.20.4 <20", None),
        ("99.x", None),
    ],
)
def test_the_highest_release_in_the_range_is_taken(text: str, found: str | None) -> None:
    assert semver.best(semver.parse(text), PUBLISHED) == found


@pytest.mark.parametrize("text", ["lts/*", "latest", "twenty", "20.x y", "20.1.2.3", ">=", "20,22", "^^20", "node-20"])
def test_other_texts_are_no_ranges(text: str) -> None:
    with pytest.raises(NotARange):
        semver.parse(text)


@pytest.mark.parametrize(("text", "is_open"), [(">=18", True), ("*", True), ("18 || >20", True), ("^18", False)])
def test_a_range_without_end_lets_later_versions_in(text: str, is_open: bool) -> None:
    assert semver.parse(text).is_open() is is_open


@pytest.mark.parametrize(("text", "version"), [("v1.2.3", (1, 2, 3)), ("1.2.3+x", (1, 2, 3)), ("1.2.3-rc.1", None)])
def test_only_releases_are_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert semver.release(text) == version


@pytest.mark.edge
def test_npm_reads_the_ranges_the_same_way() -> None:
    tool = npm_tool.ensure()
    module = json.dumps(str(tool / "lib/node_modules/npm/node_modules/semver"))
    script = f"const s = require({module}); const [v, r] = JSON.parse(process.argv[1]);"
    script += "console.log(JSON.stringify(r.map((x) => s.maxSatisfying(v, x))))"
    words = [str(tool / "bin/node"), "-e", script, json.dumps([PUBLISHED, RANGES])]
    theirs = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    ours = [semver.best(semver.parse(text), PUBLISHED) for text in RANGES]
    assert dict(zip(RANGES, ours, strict=True)) == dict(zip(RANGES, theirs, strict=True))
