"""The call `backup_work`: what the unit of a backup or a restore runs, and whoever began it need not be there.

A backup is what `pg_dump` says, passed on as it comes: it is never in the memory as a whole, and on no disk where it
goes to a bucket. It connects as the database's own role, from which a dump gains nothing.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from deployer.errors.base import HostFailure
from deployer.host import backup_dumps, backup_job
from deployer.host.backup_dumps import CHUNK, Sink
from deployer.host.backup_job import Job, Traces
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.host.postgres_cluster import installed
from deployer.host.psql import as_user, bare, environment
from deployer.model import codec
from deployer.model.backup import CANCELED, COMPLETED, FAILED, Outcome, expired, is_restore
from deployer.model.moment import spelled
from deployer.store.backups import Backups

T = TypeVar("T")
LOCKS = "5min"  # that a dump waits for a table which a migration has
TAKEN = ("too many connections", "remaining connection slots")
PATIENCE, BETWEEN = 120.0, 2.0  # seconds that a role whose connections are all taken is asked again
OFTEN = 0.5  # seconds between two words of how far it is
LAST = 2000  # characters of what a program complained about


class Stopped(BaseException):
    """SIGTERM: somebody has canceled it, or the host goes down."""


@dataclass(frozen=True, slots=True)
class Work:
    """A job on this host."""

    paths: Paths
    job: Job
    own: Traces

    @property
    def programs(self) -> Path:
        """Of the newest PostgreSQL here, which reads older servers too."""
        return self.paths.system / "usr/lib/postgresql" / installed(self.paths) / "bin"

    def program(self, name: str, *options: str, url: str = "") -> list[str]:
        """A program of PostgreSQL's as the app's user, in the database."""
        place = f"--dbname={bare(url or self.job.url)}"
        return [*as_user(self.job.uid), str(self.programs / name), "--no-password", *options, place]

    def environment(self) -> dict[str, str]:
        """The only place that the password is in."""
        return environment(self.job.url, "dumb")

    def ask(self, sql: str, *, url: str = "") -> str:
        """What psql prints, as the database's role; `backup-failed`."""
        words = self.program("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url=url)
        return patiently(lambda: self._asked(words))

    def _asked(self, words: Sequence[str]) -> str:
        done = subprocess.run(
            words, env=self.environment(), cwd="/", capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            raise HostFailure("backup-failed", {"said": done.stderr.strip()[-LAST:]})
        return done.stdout.strip()


def patiently(connect: Callable[[], T]) -> T:
    """What a program of PostgreSQL's comes to, again for a while where the role's connections are all taken."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return connect()
        except HostFailure as failure:
            if not any(sign in str(failure.details.get("said")) for sign in TAKEN) or time.monotonic() > end:
                raise
        time.sleep(BETWEEN)


def work(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{status}`. Its outcome stands beside it and in the records, whatever happens."""
    job = codec.decode(Job, request["job"])
    own = backup_job.traces(channel.paths, job.app, job.name)
    own.order.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _stop)
    outcome = _worked(Work(channel.paths, job, own), channel)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    own.end(outcome)
    with suppress(HostFailure):  # whoever looks next writes it
        known = Backups(backup_dumps.records(channel.paths))
        known.end(job.app, job.name, outcome)
        if not backup_dumps.in_bucket(channel.paths):
            _expire(channel.paths, known, job.app)
    if not backup_dumps.in_bucket(channel.paths) and (sent := sent_for(job)):
        backup_dumps.file_of(channel.paths, *sent).unlink(missing_ok=True)
    backup_job.forget_old(channel.paths, job.app)
    return {"status": outcome.status}


def sent_for(job: Job) -> tuple[str, str] | None:
    """The file that somebody has sent to be restored: worth nothing afterwards."""
    app, name = (job.source or {}).get("backup", ("", ""))
    return (app, name) if name.startswith("u") else None


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _worked(work: Work, channel: Channel) -> Outcome:
    try:
        if is_restore(work.job.name):
            from deployer.host.backup_restore import restore

            outcome = restore(work, channel)
        else:
            outcome = dump(work)
    except HostFailure as failure:
        outcome = Outcome(FAILED, "", code=failure.code, details=failure.details)
    except OSError as error:
        outcome = Outcome(FAILED, "", code="backup-failed", details={"said": str(error)})
    except Stopped:
        was = CANCELED if work.own.canceled.exists() else FAILED
        outcome = Outcome(was, "", code="" if was == CANCELED else "backup-lost")
    return replace(outcome, at=spelled(datetime.now(UTC)))


def dump(work: Work) -> Outcome:
    """What the database holds, where dumps lie; `backup-failed`, `backup-no-room`."""
    size, version = work.ask("SELECT pg_database_size(current_database()), current_setting('server_version')").split(
        "|"
    )
    into = backup_dumps.sink(work.paths, work.job.app, work.job.name)
    try:
        words = work.program("pg_dump", "--format=custom", f"--lock-wait-timeout={LOCKS}")
        patiently(lambda: _pass_on(words, work, into))
        into.finish()
    except BaseException:
        into.abort()
        raise
    return Outcome(COMPLETED, "", into.sent, int(size), version.split()[0])


def _pass_on(words: Sequence[str], work: Work, into: Sink) -> None:
    tell = telling(work.own)
    with tempfile.TemporaryFile() as complaints:
        env = work.environment()
        with subprocess.Popen(words, env=env, cwd="/", stdout=subprocess.PIPE, stderr=complaints) as process:
            assert process.stdout is not None
            try:
                while data := process.stdout.read(CHUNK):
                    into.write(data)
                    tell(into.sent)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise HostFailure("backup-failed", {"said": last(complaints)})


def telling(own: Traces) -> Callable[[int], None]:
    """Say how far it is, not too often."""
    said = 0.0

    def tell(count: int) -> None:
        nonlocal said
        if time.monotonic() - said > OFTEN:
            own.reached(count)
            said = time.monotonic()

    return tell


def last(complaints: IO[bytes]) -> str:
    """The end of what a program complained about."""
    complaints.seek(0)
    return complaints.read().decode(errors="replace").strip()[-LAST:]


def in_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _expire(paths: Paths, known: Backups, app: str) -> None:
    """Backups of schedules that newer ones have replaced."""
    found = [(one.backup, one.outcome) for one in known.entries(app)]
    for name in expired(found):
        backup_dumps.file_of(paths, app, name).unlink(missing_ok=True)
        known.delete(app, name, spelled(datetime.now(UTC)))
