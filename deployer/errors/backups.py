"""Backups: those that there are not, that failed, and dumps that cannot be restored."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure
from deployer.errors.host import words


class NoBackups(Failure):
    """The app has none that is whole."""

    app: str

    headline = "⬢ {app} has no backups."
    advice = "`deployer pg:backups:capture -a {app}` makes one."


class BackupUnknown(Failure):
    """No backup, or nothing restored, of that number."""

    name: str
    app: str
    known: str

    headline = "Couldn't find the backup {name} of ⬢ {app}."
    seen = "There are: {known}."
    advice = "`deployer pg:backups -a {app}` lists them."


class BackupUnfinished(Failure):
    """It is not whole: still at work, failed, or canceled."""

    name: str
    app: str
    status: str

    headline = "The backup {name} of ⬢ {app} cannot be used: it is {status}."
    advice = "`deployer pg:backups:info {name} -a {app}` says more; `deployer pg:backups -a {app}` lists the others."


class BackupUnderWay(Failure):
    """The database is being backed up or overwritten already."""

    name: str
    app: str
    addon: str

    headline = "{name} of ⬢ {app} is still at work in the database {addon}."
    advice = """
        `deployer pg:backups:info {name} -a {app}` says how far it is,
        `deployer pg:backups:cancel {name} -a {app}` ends it.
        """


class NothingToCancel(Failure):
    """Nothing is at work, or it has ended."""

    app: str

    headline = "No backup or restore of ⬢ {app} is at work."
    advice = "`deployer pg:backups -a {app}` lists how they ended."


class BackupElsewhere(Failure):
    """The dump lies on another host than the database that it is to fill."""

    name: str
    has: str
    wants: str

    headline = "The backup {name} lies on host {has}, and the database on host {wants}."
    advice = """
        deployer pg:backups:download {name} -o latest.dump
        deployer pg:backups:restore latest.dump
        """


class BackupHostAway(Failure):
    """The host that has the dump does not answer."""

    name: str
    host: str

    headline = "The backup {name} is on host {host}, which does not answer."
    advice = "Run the command again when {host} answers: `deployer hosts` says which do."


class UrlUnsupported(Failure):
    """The space has no bucket."""

    space: str
    name: str

    headline = "Backups of the space {space} have no URL: they lie on its hosts, and nobody is let in there."
    advice = "`deployer pg:backups:download {name}` brings it here. In spaces of AWS `pg:backups:url` makes one."


class DumpMissing(Failure):
    """What is to be restored is neither a backup nor a file."""

    name: str

    headline = "`{name}` is no backup, no file, and no https URL."
    advice = (
        "Name a backup (`b001`, `OTHERAPP::b001`), a file made by `pg_dump -Fc`, or a URL that begins with https://."
    )


class OutputExists(UsageFailure):
    """`pg:backups:download` would overwrite a file."""

    path: str

    headline = "{path} is there already."
    advice = "Name another file with `-o FILE`, or remove it."


class BadScheduleTime(UsageFailure):
    """`--at` that is no full hour and time zone."""

    given: str

    headline = "`{given}` is no time for a schedule."
    advice = "A full hour, and a time zone if it is not UTC: `--at '02:00 Europe/Berlin'`, `--at '14:00 PST'`."


class NoSchedule(Failure):
    """The database is not backed up by a schedule."""

    app: str
    addon: str

    headline = "No backups are scheduled for the database {addon} of ⬢ {app}."
    advice = "`deployer pg:backups:schedules -a {app}` lists those that are."


class WatchLost(Failure):
    """The connection ended while somebody watched. What is watched works on."""

    name: str
    app: str
    host: str

    headline = "The connection to host {host} ended. {name} works on there."
    advice = "`deployer pg:backups:info {name} -a {app}` says how far it is."


@words("backup-failed")
class BackupFailed(Failure):
    """pg_dump, or psql before it, said no."""

    host: str
    said: str

    headline = "PostgreSQL's programs on host {host} could not finish."
    seen = "{said}"
    advice = "The database is as it was. Run the command again when the cause is gone."


@words("backup-lost")
class BackupLost(Failure):
    """Its unit ended without a word: the host was shut down, or lost its power."""

    host: str

    headline = "It was at work on host {host}, which was shut down, restarted or lost meanwhile."
    advice = "The database is as it was. Run the command again."


@words("backup-gone")
class BackupGone(Failure):
    """The record is there, the dump is not."""

    host: str
    app: str
    name: str

    headline = "The dump of {name} of ⬢ {app} is not there any more."
    seen = "Host {host} looked for it."
    advice = "Somebody has removed it by hand. `deployer pg:backups -a {app}` lists the others."


@words("backup-no-room")
class BackupNoRoom(Failure):
    """The disk would become too full. Sizes in bytes."""

    host: str
    path: str
    free: int
    reserve: int
    written: int
    needed: int

    headline = "The disk of host {host} has no room for this."
    seen = """
        {path}: {free:,} bytes are free, of which {reserve:,} stay free for databases and releases;
        {written:,} bytes of it were written and are removed again, {needed:,} more were to come at least.
        """
    advice = """
        `deployer pg:backups:delete` makes room where older backups are no longer needed (download them first),
        or take a larger disk.
        """


@words("rds-no-room")
class RdsNoRoom(Failure):
    """The old and the new database together would fill RDS's storage. Sizes in bytes."""

    host: str
    address: str
    used: int
    needed: int
    storage: int

    headline = "The space's PostgreSQL has no room for a second database beside the one that is overwritten."
    seen = """
        {address}: databases have {used:,} of {storage:,} bytes, and the restored one takes about {needed:,}.
        Nothing was changed.
        """
    advice = "A larger `storage` of the `database` in deployer.toml, and `deployer up`; or delete what nobody needs."


@words("dump-unreadable")
class DumpUnreadable(Failure):
    """Not what pg_dump -Fc writes."""

    host: str
    said: str

    headline = "This is no dump in PostgreSQL's custom format."
    seen = "{said}"
    advice = """
        Make one with `pg_dump --format=custom`, or download one from Heroku: `heroku pg:backups:download`.
        SQL in plain text goes in with `deployer pg:psql -f FILE`.
        """


@words("dump-newer")
class DumpNewer(Failure):
    """Made by a newer PostgreSQL than the host's."""

    host: str
    format: str
    version: str

    headline = "The dump was made by a newer PostgreSQL than the {version} of host {host}."
    seen = "Its format is {format}."
    advice = "Make it with `pg_dump` of version {version} or older, as plain SQL, and use `deployer pg:psql -f FILE`."


@words("url-refused")
class DumpUrlRefused(Failure):
    """Nothing could be fetched."""

    host: str
    reason: str

    headline = "Host {host} could not fetch the dump from its URL."
    seen = "{reason}"
    advice = "Signed URLs end after a while: make a new one, or download the dump and name the file."


@words("restore-failed")
class RestoreFailed(Failure):
    """pg_restore met something that it could not do."""

    host: str
    said: str

    headline = "The dump could not be restored: the database is as it was before."
    seen = "{said}"
    advice = """
        What the dump needs and this PostgreSQL has not must be left out when it is made, as with
        `pg_dump --exclude-schema` or `--exclude-table`.
        """
