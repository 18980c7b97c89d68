"""Domains of apps: names that are none, that somebody else has, that lead elsewhere."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class BadDomain(UsageFailure):
    """What was typed names no domain."""

    domain: str
    reason: str

    headline = "`{domain}` is no domain."
    seen = "{reason}"
    advice = "Name it as browsers do, without http:// and without a path: `deployer domains:add www.example.com`."


class DomainTaken(Failure):
    """Another app of the space has it."""

    domain: str
    app: str
    space: str

    headline = "{domain} belongs to the app {app} in the space {space}."
    seen = "A domain leads to one app."
    advice = "`deployer domains:remove {domain} -a {app}` frees it, if it is one that was added."


class DomainOfAnotherApp(Failure):
    """It is the name that the space gives to another app."""

    domain: str
    app: str
    space: str

    headline = "{domain} is the name that the space {space} gives to the app {app}."
    advice = "Choose another name; `deployer domains -a {app}` lists that app's."


class NameTakenAsDomain(Failure):
    """An app of this name would get a domain that another app has."""

    name: str
    domain: str
    app: str

    headline = "An app called {name} would answer at {domain}, which belongs to the app {app}."
    advice = "Choose another name, or free it first with `deployer domains:remove {domain} -a {app}`."


class NoSuchDomain(Failure):
    """The app has no such domain."""

    domain: str
    app: str
    found: str  # `www.example.com, example.com`, or `none`

    headline = "{app} has no domain {domain}."
    seen = "Domains that were added to it: {found}."
    advice = "`deployer domains:add {domain} -a {app}` adds it."


class NotToBeRemoved(Failure):
    """The name that the space gives to an app stays."""

    domain: str
    app: str

    headline = "{domain} is the name that the space gives to {app}; it stays."
    advice = "`deployer domains -a {app}` lists what can be removed."


class TooManyDomains(Failure):
    """As on Heroku there is a limit."""

    app: str
    most: int

    headline = "{app} has {most} domains; more are not possible."
    advice = "`deployer domains:remove` makes room; *.example.com leads all names below example.com to the app."


class DomainNotReady(Failure):
    """Waited for in vain. `seen` has a line for each domain."""

    domains: str
    app: str
    seconds: float
    seen_last: str

    headline = "Not ready after {seconds:.0f} s: {domains}."
    seen = "{seen_last}"
    advice = "Nothing was changed by waiting, and it goes on by itself: `deployer domains:wait -a {app}` waits again."
