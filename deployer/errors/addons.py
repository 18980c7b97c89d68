"""Add-ons: services, plans and databases that there are not, and servers that do not answer."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure
from deployer.errors.host import words


class ServiceUnknown(Failure):
    """No provider has that name. `hint` is empty, or begins with a blank."""

    service: str
    known: str
    hint: str = ""

    headline = "Couldn't find the add-on service {service}.{hint}"
    seen = "There are: {known}."
    advice = "`deployer addons:plans SERVICE` lists a service's plans."


class PlanUnknown(Failure):
    """The service has no such plan."""

    service: str
    plan: str
    known: str

    headline = "Couldn't find the plan {plan} of {service}."
    seen = "There are: {known}."
    advice = "`deployer addons:plans {service}` shows what each has."


class AddonUnknown(Failure):
    """Neither an add-on's name, nor an attachment's, nor a service's."""

    name: str
    app: str
    known: str

    headline = "Couldn't find the add-on {name} of ⬢ {app}."
    seen = "It has: {known}."
    advice = "`deployer addons -a {app}` lists them."


class AddonAmbiguous(UsageFailure):
    """A service's name, of which the app has several."""

    name: str
    app: str
    known: str

    headline = "⬢ {app} has several add-ons that {name} could mean: {known}."
    advice = "Name one of them."


class AddonNameTaken(Failure):
    """`--name` of another add-on."""

    name: str

    headline = "An add-on named {name} already exists in this space."
    advice = "Choose another name, or leave `--name` out."


class BadAttachmentName(UsageFailure):
    """`--as` that makes no config var."""

    name: str

    headline = "`{name}` cannot be the name of an attachment."
    advice = "Letters, digits and underscores; a letter first: `--as ANALYTICS` sets ANALYTICS_URL."


class AttachmentTaken(Failure):
    """The app has a config var or an attachment of that name."""

    name: str
    app: str

    headline = "⬢ {app} already has the config var {name}_URL."
    advice = "Choose another name with `--as`, or unset it first."


class DatabaseUnknown(Failure):
    """The database argument of a pg command fits none of the app's databases."""

    name: str
    app: str
    known: str

    headline = "Couldn't find the database {name} of ⬢ {app}."
    seen = "It has: {known}."
    advice = "Name one by its config var, its attachment or its add-on."


class NoDatabase(Failure):
    """The app has no database at all."""

    app: str

    headline = "⬢ {app} has no databases."
    advice = "`deployer addons:create heroku-postgresql -a {app}` makes one."


class AlreadyPrimary(Failure):
    """DATABASE means it already."""

    name: str
    app: str

    headline = "{name} is the primary database of ⬢ {app} already."
    advice = "`deployer pg:info -a {app}` shows which others there are."


class DatabaseUnfinished(Failure):
    """Its creation was cut off."""

    name: str
    service: str
    app: str

    headline = "The database {name} is not there yet: its creation was cut off."
    advice = (
        "`deployer addons:create {service} -a {app}` finishes it, `deployer addons:destroy {name} -a {app}` removes it."
    )


class DatabaseHostLost(Failure):
    """The host that a database lives on does not answer, or is gone."""

    name: str
    service: str
    app: str
    host: str

    headline = "The database {name} of ⬢ {app} is away: its host is lost."
    seen = "It lives on {host}, which does not answer."
    advice = """
        When {host} answers again, the database is there again. If it never will:
            deployer addons:destroy {name} -a {app}
            deployer addons:create {service} -a {app}
        makes an empty one; `deployer pg:psql -a {app} < DUMP.sql` fills it. All else of the app works meanwhile.
        """


@words("postgres-missing")
class PostgresMissing(Failure):
    """The host has no PostgreSQL, or no cluster of ours."""

    host: str
    path: str

    headline = "Host {host} has no PostgreSQL of this space."
    seen = "Nothing is at {path}."
    advice = "`apt-get install postgresql` on that host, then run the command again."


@words("postgres-down")
class PostgresDown(Failure):
    """The server takes no connections. `log` are its last lines."""

    host: str
    said: str
    log: str
    unit: str

    headline = "PostgreSQL on host {host} does not answer."
    seen = "{said}\n\n{log}"
    advice = """
        After a crash it starts again by itself within seconds: run the command again in a minute.
        If somebody stopped it: `systemctl start {unit}` on that host.
        """


@words("postgres-disk-full")
class PostgresDiskFull(Failure):
    """No room for the database."""

    host: str
    said: str

    headline = "The disk of host {host} is full: PostgreSQL cannot write."
    seen = "{said}"
    advice = "Make room below /srv on that host, or take a larger disk; nothing has to be repaired afterwards."


@words("postgres-refused")
class PostgresRefused(Failure):
    """The server, or the tool that makes it, said no."""

    host: str
    said: str

    headline = "PostgreSQL on host {host} refused what deployer asked of it."
    seen = "{said}"
    advice = "Nothing is half done that the same command does not finish: it is safe to run it again."


@words("postgres-no-database")
class DatabaseGone(Failure):
    """The ledger knows the database, the server does not."""

    host: str
    name: str

    headline = "The database {name} is no longer on host {host}."
    seen = "The space's ledger knows it, its server does not: somebody dropped it by hand, or the disk was replaced."
    advice = "Destroy the add-on and create another, or restore the server's data."
