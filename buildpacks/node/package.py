"""What package.json and its lock file say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from buildpacks.node.errors import BadJson, ManagerNotYet, NoLockFile, SeveralLockFiles
from buildpacks.tree import Tree

# npm reads npm-shrinkwrap.json before package-lock.json, where both are there.
NPM_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
OTHER_LOCKS = {"yarn.lock": "Yarn", "pnpm-lock.yaml": "pnpm", "bun.lock": "Bun", "bun.lockb": "Bun"}
PACKAGES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "bundleDependencies")
# What `npm ci` reads of package.json. Its scripts are run apart.
DECIDING = (
    *PACKAGES,
    "allowScripts",
    "bundledDependencies",
    "cpu",
    "devEngines",
    "engines",
    "libc",
    "os",
    "overrides",
    "peerDependenciesMeta",
    "workspaces",
)


@dataclass(frozen=True, slots=True)
class Package:
    """package.json. Parts of another type than they should have count as absent."""

    data: Mapping[str, Any]

    @property
    def scripts(self) -> Mapping[str, str]:
        """The commands by name."""
        return {name: text for name, text in self._part("scripts").items() if isinstance(text, str) and text.strip()}

    @property
    def has_packages(self) -> bool:
        """Whether there is anything to install."""
        return any(self.data.get(part) for part in (*PACKAGES, "workspaces"))

    @property
    def cache_folders(self) -> tuple[str, ...]:
        """`cacheDirectories`: folders that the app's author wants kept from build to build."""
        found = self.data.get("cacheDirectories") or self.data.get("cache_directories")
        return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()

    def engine(self, name: str) -> str | None:
        """A range of `engines`."""
        found = self._part("engines").get(name)
        return found.strip() if isinstance(found, str) and found.strip() else None

    def text(self, key: str) -> str:
        """A text of the uppermost level; empty where there is none."""
        found = self.data.get(key)
        return found if isinstance(found, str) else ""

    def depends_on(self, name: str) -> bool:
        """Whether it asks for a package itself."""
        return any(name in self._part(part) for part in PACKAGES)

    def deciding(self) -> str:
        """A short digest of everything that decides what gets installed, the lock aside."""
        parts = {key: self.data[key] for key in DECIDING if key in self.data}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    def _part(self, key: str) -> Mapping[str, Any]:
        found = self.data.get(key)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Lock:
    """npm's lock file. `has_development`: some packages are for development only. `local`: what of the source is
    linked or packed into node_modules, so that the source itself decides."""

    file: str
    has_development: bool
    local: tuple[str, ...] = ()


def read(tree: Tree) -> Package:
    """package.json. Raises BadJson."""
    return Package(_json(tree, "package.json"))


def lock(tree: Tree, package: Package) -> Lock | None:
    """The lock file; None where there is nothing to install. Raises Refused where it is missing, or not alone."""
    ours = [name for name in NPM_LOCKS if name in tree][:1]
    others = [name for name in OTHER_LOCKS if name in tree]
    if len(ours + others) > 1:
        raise SeveralLockFiles(", ".join(f"`{name}`" for name in ours + others))
    if others:
        raise ManagerNotYet(OTHER_LOCKS[others[0]], others[0])
    if ours:
        return _lock(ours[0], _json(tree, ours[0]))
    if package.has_packages:
        raise NoLockFile
    return None


def _lock(file: str, data: Mapping[str, Any]) -> Lock:
    packages = data.get("packages")
    if not isinstance(packages, dict):  # written by npm 6 and older
        return Lock(file, True, tuple(re.findall(r'"version": "file:([^"]*)"', json.dumps(data))))
    entries = [(path, entry) for path, entry in packages.items() if path and isinstance(entry, dict)]
    folders = [path for path, _ in entries if not path.startswith("node_modules/")]
    files = [str(entry["resolved"]) for _, entry in entries if str(entry.get("resolved", "")).startswith("file:")]
    development = any(entry.get("dev") or entry.get("devOptional") for _, entry in entries)
    return Lock(file, development, (*folders, *(path.removeprefix("file:") for path in files)))


def _json(tree: Tree, path: str) -> dict[str, Any]:
    try:
        data = json.loads(tree.text(path) or "")
    except ValueError as error:
        raise BadJson(path, str(error)) from error
    if not isinstance(data, dict):
        raise BadJson(path, "it holds no object")
    return data
