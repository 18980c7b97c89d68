"""What the ledger says of apps, as a host of AWS reads it: it changes nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deployer.host.ledger_store import LedgerStore
from deployer.model.app import App, Current, Operation
from deployer.model.lease import Lease
from deployer.model.places import Wanted
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.model.space import Space
from deployer.store import keys, record
from deployer.store.base import Get, List
from deployer.store.entries import ConfigRecord


@dataclass(frozen=True, slots=True)
class AppView:
    """An app with a release that runs. `token` is its lease's; `held` says that a command has the lease, `operation`
    that one is, or was cut off, in the middle of something."""

    app: App
    current: Current
    release: Release
    slug: Slug
    config: dict[str, str]
    token: int
    held: bool
    operation: bool

    def wanted(self, space: Space) -> Wanted:
        """What hosts should have of it."""
        quiet = not (self.held or self.operation)
        return Wanted(self.app, self.current.release, self.current.generation, space.domains(self.app), quiet)


def apps(store: LedgerStore) -> list[str]:
    """The names of all apps."""
    listed = store.batch([List(keys.APPS)]).answers[0]
    assert isinstance(listed, tuple)
    return [name for name in map(keys.app_of, listed) if name]


def views(store: LedgerStore) -> Iterator[AppView]:
    """Every app that has a release with a slug, each read when its turn comes."""
    for name in apps(store):
        view = _view(store, name)
        if view:
            yield view


def lease(store: LedgerStore, app: str) -> tuple[int, bool]:
    """The token of an app's lease, and whether a command holds it."""
    found = store.batch([Get(keys.lease(f"app-{app}"))])
    known = record.found(Lease, found.answers[0]) or Lease(0)
    return known.token, known.is_held(found.now)


def _view(store: LedgerStore, name: str) -> AppView | None:
    # The lease first: whoever takes it afterwards has a newer token, and ends what is begun with this one.
    token, held = lease(store, name)
    wanted = ((App, keys.app(name)), (Current, keys.current(name)), (Operation, keys.operation(name)))
    app, current, operation = _read(store, *wanted)
    if app is None or current is None:
        return None
    (release,) = _read(store, (Release, keys.release(name, current.release)))
    if release is None or release.slug is None:
        return None
    parts = ((ConfigRecord, keys.config(name, release.config)), (Slug, keys.slug(release.slug)))
    config, slug = _read(store, *parts)
    if slug is None:
        return None
    variables = config.vars if config else {}
    return AppView(app, current, release, slug, variables, token, held, operation is not None)


def _read(store: LedgerStore, *wanted: tuple[type, str]) -> list[Any]:
    answers = store.batch([Get(key) for _, key in wanted]).answers
    return [record.found(kind, answer) for (kind, _), answer in zip(wanted, answers, strict=True)]
