"""Apps: made, described, deleted."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.apps import AppNotFound, BadAppName
from deployer.errors.domains import NameTakenAsDomain
from deployer.model.addon import Addon
from deployer.model.app import App
from deployer.model.events import Detail, Tell
from deployer.model.names import is_app_name
from deployer.operations.app_names import random_name
from deployer.operations.change import changing
from deployer.operations.session import OpenSpace
from deployer.operations.web_url import web_url
from deployer.remote.fan_out import fan_out
from deployer.store.ledger import AppState


@dataclass(frozen=True, slots=True)
class AppInfo:
    """What `apps:info` shows. Of the `domains` the first is the one of its URL."""

    state: AppState
    addons: tuple[Addon, ...]
    url: str
    space: str
    domains: tuple[str, ...]


def create(space: OpenSpace, name: str | None, buildpacks: tuple[str, ...] = ()) -> App:
    """Make an app, with a random name where none is given; BadAppName, AppExists."""
    if name is not None and not is_app_name(name):
        raise BadAppName(name)
    space.begin_change()
    app = space.ledger.create_app(name or random_name(), space=space.space.name, buildpacks=buildpacks)
    domain = space.space.app_host(app.name)
    if owner := space.ledger.domain_owner(domain):
        space.ledger.delete_app(app.name)
        raise NameTakenAsDomain(app.name, domain, owner)
    space.ledger.audit("create", app.name)
    return app


def state_of(space: OpenSpace, app: str) -> AppState:
    """The app with what its current release is made of; AppNotFound."""
    state = space.ledger.state(app)
    if state is None:
        raise AppNotFound(app, space.space.name)
    return state


def info(space: OpenSpace, app: str) -> AppInfo:
    """An app, its add-ons and its address."""
    state = state_of(space, app)
    return AppInfo(
        state, space.ledger.addons(app), web_url(space, app), space.space.name, space.space.domains(state.app)
    )


def destroy(space: OpenSpace, app: str, tell: Tell, *, wait: float | None = None) -> None:
    """Delete an app for good: its backups, add-ons with their data, dynos and files on every host, its records."""
    from deployer.build import build
    from deployer.operations import backups, store_layers
    from deployer.operations.addons import remove_all

    state_of(space, app)
    with changing(space, app, "apps:destroy", tell, wait) as change:
        backups.forget(space, app)
        remove_all(change)
        tell(Detail("removing dynos and files"))
        fan_out(space.sessions, lambda session: session.call("remove", change.fence.request()))
        change.held.check()
        space.ledger.delete_app(app)
        space.ledger.free_domains(change.app.domains, app)
        store_layers.prune(space, app, tell)
    build.forget(f"{space.space.name}/{app}")
