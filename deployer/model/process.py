"""From ledger to processes: what an app's dynos run, and when they count as healthy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deployer.model import health_check
from deployer.model.app import App
from deployer.model.dyno import Dyno
from deployer.model.health_check import HealthCheck
from deployer.model.release import Release
from deployer.model.slug import Slug


@dataclass(frozen=True, slots=True)
class Process:
    """What boots: a release's code and environment on hosts, whatever the process type."""

    uid: int
    release: int
    layers: tuple[str, ...]
    commands: dict[str, str]
    env: dict[str, str]

    def request(self, dynos: Iterable[tuple[Dyno, str]], *, port: bool) -> dict[str, Any]:
        """What the agent's calls `boot` and `replace` are asked with: these dynos, each with its size."""
        return {
            "uid": self.uid,
            "release": self.release,
            "layers": list(self.layers),
            "env": self.env,
            "dynos": [self._spec(dyno, size, port=port) for dyno, size in dynos],
        }

    def _spec(self, dyno: Dyno, size: str, *, port: bool) -> dict[str, Any]:
        return {
            "type": dyno.process_type,
            "number": dyno.number,
            "size": size,
            "command": self.commands[dyno.process_type],
            "port": port,
        }


def process_of(app: App, release: Release, slug: Slug, config: dict[str, str]) -> Process:
    """What the dynos of a release run."""
    return Process(
        uid=app.uid,
        release=release.number,
        layers=tuple(layer.digest for layer in slug.layers),
        commands=slug.process_types,
        env={**platform_env(app, release), **config},
    )


def platform_env(app: App, release: Release) -> dict[str, str]:
    """What Heroku's dyno metadata gives a process (heroku.md 4.1); PORT and DYNO are the agent's to give."""
    return {
        "HOME": "/app",
        "HEROKU_APP_NAME": app.name,
        "HEROKU_RELEASE_VERSION": release.name,
        "HEROKU_RELEASE_CREATED_AT": release.created,
        "HEROKU_SLUG_COMMIT": release.commit or "",
        "HEROKU_BUILD_COMMIT": release.commit or "",
    }


def health_of(release: Release, host: str) -> dict[str, Any]:
    """When a web dyno of the release is healthy: any answer below 500, on `/` or where its app.json, which was checked
    when it was released, says. The Host header is the app's own name."""
    described = json.loads(release.app_json) if release.app_json else {}
    check = health_check.read(described["healthchecks"], []) if "healthchecks" in described else HealthCheck()
    return {"path": check.path, "timeout": check.timeout, "host": host}
