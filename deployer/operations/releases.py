"""The releases of an app: listed, described, and what their release commands wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.errors.deploy import NoSuchRelease
from deployer.errors.releases import NoReleaseOutput
from deployer.model.release import Release, Result
from deployer.operations.apps import state_of
from deployer.operations.session import OpenSpace


@dataclass(frozen=True, slots=True)
class Listed:
    """A release with what became of it: `succeeded`, `failed` or `pending`."""

    release: Release
    status: str
    is_current: bool
    reason: str | None = None

    @property
    def is_eligible(self) -> bool:
        """Whether one can roll back to it."""
        return self.status == "succeeded" and self.release.slug is not None


@dataclass(frozen=True, slots=True)
class Described:
    """A release with its config vars and its app's add-ons."""

    listed: Listed
    config: Mapping[str, str]
    addons: tuple[str, ...]


def listing(space: OpenSpace, app: str, limit: int) -> tuple[int | None, list[Listed]]:
    """The number of the current release, and the newest ones, newest first."""
    current = state_of(space, app).current
    number = current.release if current else None
    return number, [_listed(entry.release, entry.result, number) for entry in space.ledger.releases(app, limit)]


def describe(space: OpenSpace, app: str, number: int | None) -> Described:
    """One release, the current one where no number is given; NoSuchRelease."""
    current = state_of(space, app).current
    wanted = number if number is not None else current.release if current else 1
    release = space.ledger.release(app, wanted)
    if release is None:
        raise NoSuchRelease(app, wanted)
    listed = _listed(release, space.ledger.result(app, wanted), current.release if current else None)
    addons = tuple(f"{addon.service}:{addon.plan}" for addon in space.ledger.addons(app))
    return Described(listed, space.ledger.config(app, release.config), addons)


def output(space: OpenSpace, app: str, number: int | None, tell: Callable[[str], None]) -> None:
    """Tell the lines that a release's command wrote, by whichever host ran it; NoReleaseOutput where none did."""
    release = describe(space, app, number).listed.release
    request = {"app": app, "release": release.number}

    def hear(message: dict[str, Any], data: bytes) -> None:
        tell(message["line"])

    if not any([session.call("task_output", request, hear)["found"] for session in space.answering]):
        raise NoReleaseOutput(app, release.number)


def _listed(release: Release, result: Result | None, current: int | None) -> Listed:
    is_current = release.number == current
    if result is None:
        return Listed(release, "succeeded" if is_current else "pending", is_current)
    return Listed(release, result.status, is_current, result.reason)
