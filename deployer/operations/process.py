"""From ledger to processes: where an app's dynos belong, what they run, and when they count as healthy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deployer.model.app import App
from deployer.model.app_json import AppJson, HealthCheck, parse
from deployer.model.dyno import Dyno
from deployer.model.formation import SIZES, Formation
from deployer.model.placement import Seat, place
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.operations.phases import Placed, Process
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out

RESERVE = 256  # MiB of a host's memory that no dyno is counted against: system, router, databases


def place_dynos(space: OpenSpace, app: str, release: int, formation: Formation) -> list[Placed]:
    """The formation's dynos of a release, each on the host of its seat; one that runs already keeps its seat.
    NotEnoughMemory where a host has no room for what falls to it."""
    surveys = fan_out(space.sessions, lambda session: _survey(session, app))
    seats = [survey.seat for survey in surveys]
    present = {name: survey.seat.number for survey in surveys for name in survey.present}
    by_seat = {session.host.seat: session for session in space.sessions}
    return [
        Placed(Dyno(app, p.process_type, p.number, release), by_seat[p.seat], p.size)
        for p in place(app, formation, seats, present)
    ]


@dataclass(frozen=True, slots=True)
class _Survey:
    """A host's seat with the memory that this app's dynos may use there, and the app's dynos on it by name."""

    seat: Seat
    present: tuple[str, ...]


def _survey(session: Session, app: str) -> _Survey:
    memory = session.call("facts")["memory"]
    dynos = session.call("ps")["dynos"]
    others = sum(SIZES[dyno["size"].lower()].memory for dyno in dynos if dyno["app"] != app)
    present = tuple(f"{dyno['type']}.{dyno['number']}" for dyno in dynos if dyno["app"] == app)
    return _Survey(Seat(session.host.seat, memory - max(RESERVE, memory // 8) - others), present)


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
