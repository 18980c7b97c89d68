"""The domains that people add to an app: which routers know, and which no release is made for."""

from __future__ import annotations

from dataclasses import replace

from deployer.errors.domains import (
    BadDomain,
    DomainOfAnotherApp,
    DomainTaken,
    NoSuchDomain,
    NotToBeRemoved,
    TooManyDomains,
)
from deployer.model import domains
from deployer.model.app import App
from deployer.model.events import Tell
from deployer.operations.apps import state_of
from deployer.operations.change import Change, changing
from deployer.operations.record import follow
from deployer.operations.session import OpenSpace

KIND = "change of domains"


def add(space: OpenSpace, app: str, text: str, tell: Tell, *, wait: float | None = None) -> bool:
    """Have a domain lead to the app; whether that is news. BadDomain, TooManyDomains, and DomainTaken or
    DomainOfAnotherApp where it leads to another one."""
    name = spelled(text)
    if not check_new(space, state_of(space, app).app, name):
        return False
    with changing(space, app, f"domains:add {name}", tell, wait) as change:
        if not check_new(space, change.app, name):
            return False
        _claim(change, name)
        follow(change, KIND, replace(change.app, domains=(*change.app.domains, name)))
        return True


def remove(space: OpenSpace, app: str, text: str, tell: Tell, *, wait: float | None = None) -> str:
    """Take a domain from the app; the domain. NoSuchDomain, NotToBeRemoved."""
    name = spelled(text)
    check_has(space, state_of(space, app).app, name)
    with changing(space, app, f"domains:remove {name}", tell, wait) as change:
        check_has(space, change.app, name)
        _drop(change, (name,))
    return name


def clear(space: OpenSpace, app: str, tell: Tell, *, wait: float | None = None) -> int:
    """Take all domains from the app that were added; how many they were."""
    with changing(space, app, "domains:clear", tell, wait) as change:
        found = change.app.domains
        if found:
            _drop(change, found)
        return len(found)


def spelled(text: str) -> str:
    """A domain as the ledger spells it; BadDomain."""
    try:
        return domains.parse(text)
    except domains.NotADomain as why:
        raise BadDomain(text, str(why)) from why


def check_has(space: OpenSpace, app: App, name: str) -> None:
    """NoSuchDomain where nobody has added it to the app, NotToBeRemoved where the space did."""
    if name == space.space.app_host(app.name):
        raise NotToBeRemoved(name, app.name)
    if name not in app.domains:
        raise NoSuchDomain(name, app.name, ", ".join(app.domains) or "none")


def check_new(space: OpenSpace, app: App, name: str) -> bool:
    """Whether the app has not got it yet; TooManyDomains, DomainTaken, DomainOfAnotherApp where it cannot get it."""
    if name in space.space.domains(app):
        return False
    if len(app.domains) >= domains.MOST:
        raise TooManyDomains(app.name, domains.MOST)
    owner = space.ledger.domain_owner(name)
    if owner not in (None, app.name):
        raise DomainTaken(name, str(owner), space.space.name)
    _check_not_given(space, name)
    return True


def _check_not_given(space: OpenSpace, name: str) -> None:
    other = space.space.app_at(name)
    if other is not None and space.ledger.app(other) is not None:
        raise DomainOfAnotherApp(name, other, space.space.name)


def _claim(change: Change, name: str) -> None:
    """The claim first, then a look at who has the name from the space: whoever makes an app does it the other way
    round, so that one of the two sees the other."""
    space, app = change.space, change.app.name
    owner = space.ledger.claim_domain(name, app)
    if owner != app:
        raise DomainTaken(name, owner, space.space.name)
    try:
        _check_not_given(space, name)
    except DomainOfAnotherApp:
        space.ledger.free_domains([name], app)
        raise


def _drop(change: Change, names: tuple[str, ...]) -> None:
    left = tuple(name for name in change.app.domains if name not in names)
    follow(change, KIND, replace(change.app, domains=left))
    change.space.ledger.free_domains(names, change.app.name)
