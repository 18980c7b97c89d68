"""From ledger to processes: what an app's dynos run, and when they count as healthy."""

from __future__ import annotations

from typing import Any

from deployer.model.app import App
from deployer.model.app_json import AppJson, HealthCheck, parse
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.operations.phases import Process


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
    """When a web dyno of the release is healthy: any answer below 500, on `/` or where its app.json says. The Host
    header is the app's own name."""
    described = parse(release.app_json) if release.app_json else AppJson()
    check = described.health or HealthCheck()
    return {"path": check.path, "timeout": check.timeout, "host": host}
