"""Which buildpacks build an app: a list that the next build uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from buildpacks import catalog
from deployer.errors.build import BuildpackUnknown
from deployer.errors.buildpacks import BuildpackTwice, BuildpackUnset
from deployer.model.events import Tell
from deployer.operations.change import changing
from deployer.operations.session import OpenSpace

Buildpacks = tuple[str, ...]


def change(space: OpenSpace, app: str, wanted: Callable[[Buildpacks], Buildpacks], tell: Tell) -> Buildpacks:
    """Change the app's list to `wanted(list)`; makes no release."""
    with changing(space, app, "buildpacks", tell, of_dynos=False) as held:
        after = wanted(held.app.buildpacks)
        held.held.check()
        space.ledger.save_app(replace(held.app, buildpacks=after))
        return after


def canonical(name: str) -> str:
    """The name under which the list has it; BuildpackUnknown, before a build finds out."""
    found = catalog.canonical(name)
    if found is None:
        raise BuildpackUnknown(name, ", ".join(f"heroku/{short}" for short in catalog.NAMES))
    return found


def with_set(before: Buildpacks, buildpack: str, index: int | None) -> Buildpacks:
    """The only one, or the one at a position from 1."""
    if index is None:
        return (buildpack,)
    others = (*before[: index - 1], *before[index:])
    return _unique((*before[: index - 1], buildpack, *before[index:]), buildpack, others)


def with_added(before: Buildpacks, buildpack: str, index: int | None) -> Buildpacks:
    """One more, at the end or at a position from 1."""
    at = len(before) if index is None else index - 1
    return _unique((*before[:at], buildpack, *before[at:]), buildpack, before)


def without(before: Buildpacks, buildpack: str | None, index: int | None) -> Buildpacks:
    """All but the one of that name or at that position; BuildpackUnset where it is not there."""
    if index is not None and index <= len(before):
        return before[: index - 1] + before[index:]
    if buildpack is None or buildpack not in before:
        raise BuildpackUnset(buildpack or f"at position {index}", ", ".join(before) or "none")
    return tuple(one for one in before if one != buildpack)


def _unique(after: Buildpacks, buildpack: str, others: Buildpacks) -> Buildpacks:
    if buildpack in others:
        raise BuildpackTwice(buildpack)
    return after
