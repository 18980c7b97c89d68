"""From ledger to processes: where an app's dynos belong, what they run, and when they count as healthy."""

from __future__ import annotations

from typing import Any

from deployer.model.app import App
from deployer.model.dyno import Dyno
from deployer.model.formation import Formation
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.operations.phases import Placed, Process
from deployer.operations.session import OpenSpace

BOOT_TIMEOUT = 60.0  # seconds until a web dyno must have bound its port: Heroku's limit


def place_dynos(space: OpenSpace, app: str, release: int, formation: Formation) -> list[Placed]:
    """The formation's dynos of a release, each on the host of its seat."""
    raise NotImplementedError


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
    """How the agent decides that a web dyno is healthy: app.json's startup check, else any answer below 500 on `/`."""
    return {"path": "/", "timeout": BOOT_TIMEOUT, "host": host}
