"""Which versions of a package npm's registry has: asked in the build jail, kept for some hours."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.build import folders, jail, npm_tool
from deployer.build.jail import Jail, Mount
from deployer.build.layer_cache import write_json
from deployer.build.shelf import own
from deployer.errors.build import RegistryUnreachable

KEPT = 12 * 3600  # seconds
FRESH = 60  # seconds: two questions of one build are one
SECONDS = 120
TOOL = "/opt/tools/npm"
HASTY = ("--globalconfig=/etc/npmrc", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
NPM = (f"{TOOL}/bin/node", f"{TOOL}/lib/node_modules/npm/bin/npm-cli.js")


@dataclass(frozen=True, slots=True)
class Published:
    """The registry as builds on this machine see it; `folder` keeps its answers, `image` is what npm runs in."""

    image: Path
    folder: Path

    def __call__(self, package: str, fresh: bool) -> Sequence[str]:
        """All versions. Old answers do where the registry cannot be reached; raises RegistryUnreachable where there is
        none."""
        file = self.folder / f"{package}.json"
        kept, age = _kept(file)
        if kept and age < (FRESH if fresh else KEPT):
            return kept
        try:
            versions = _ask(self.image, package)
        except RegistryUnreachable:
            if not kept:
                raise
            return kept
        folders.make(self.folder)
        write_json(file, {"versions": versions})
        return versions


def _kept(file: Path) -> tuple[list[str], float]:
    """The versions of the last answer, and its age in seconds."""
    try:
        versions = json.loads(file.read_text())["versions"]
        return [str(version) for version in versions], time.time() - file.stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return [], 0.0


def _ask(image: Path, package: str) -> list[str]:
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="deployer-npm-") as name:
        app, cache = Path(name, "app"), Path(name, "cache")
        Path(name).chmod(0o755)
        for place in (app, cache):
            place.mkdir()
            own(place)
        box = Jail(image, app, cache).having(Mount(npm_tool.ensure(), TOOL), npm_config_cache="/cache")
        words = (*NPM, "view", package, "versions", "--json", "--silent", *HASTY)
        ended = jail.run(box, words, lines.append, seconds=SECONDS)
    return parse(package, "\n".join(lines), ended.status)


def parse(package: str, said: str, status: int) -> list[str]:
    """The versions out of npm's answer. Raises RegistryUnreachable."""
    try:
        answer: Any = json.loads(said)
    except ValueError as error:
        raise RegistryUnreachable(package, said.strip() or f"npm ended with status {status}") from error
    if isinstance(answer, dict):
        raise RegistryUnreachable(package, str(answer.get("error", {}).get("summary", said)))
    return [str(version) for version in (answer if isinstance(answer, list) else [answer])]
