"""A restore: into a database beside the old one, which takes its place when all of it is there.

Until then the old one serves, and whatever ends the restore leaves it as it was: the change is two renames in one
transaction, for which connections are ended. The server's superuser makes and renames; what a dump says is done as the
database's own role, of which a dump, whoever made it, gains nothing more.

What that role may not make is left out, and said: extensions that the server has not, or that only a superuser may
install, event triggers, publications. Owners and grants are the role's own (docs/decisions/0019-backups.md).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deployer.errors.base import HostFailure
from deployer.host import backup_dumps, postgres, postgres_sql
from deployer.host.backup_dumps import CHUNK, Readable
from deployer.host.backup_work import Work, in_database, last, patiently, telling
from deployer.host.channel import Channel
from deployer.host.postgres_sql import Server, checked
from deployer.model.backup import COMPLETED, DUMP, Outcome

NEWER = re.compile(r"unsupported version \(([\d.]+)\) in file header")
ENTRY = re.compile(r"\d+; \d+ \d+ (?P<what>.+)")
EXTENSION = re.compile(r"(?P<about>COMMENT - )?EXTENSION (- )?(?P<name>\S+)")
# What a role that is no superuser may not make, or finds in every new database.
NEVER = ("EVENT TRIGGER ", "COMMENT - EVENT TRIGGER ", "SCHEMA - public ", "COMMENT - SCHEMA public ")
HEROKUS = ("_heroku",)  # a schema of Heroku's own, with functions for its event triggers
OPTIONS = (
    *("--no-owner", "--no-acl", "--no-publications", "--no-subscriptions", "--no-security-labels"),
    *("--no-tablespaces", "--exit-on-error"),
)
OFTEN = 0.5  # seconds between two looks at the disk
RDS_FULL = 0.85  # of its storage: beside databases there is its log
TRIES = 5  # for a moment in which nobody is connected

# A role of the new database's name lets its owner in: pg_hba.conf has `samerole`.
PREPARE = """\
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname IN (:'new', :'old') \\gexec
SELECT format('CREATE ROLE %I NOLOGIN', :'new') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'new') \\gexec
GRANT :"new" TO :"name";
CREATE DATABASE :"new" OWNER :"name" TEMPLATE template0;
REVOKE ALL ON DATABASE :"new" FROM PUBLIC;
SELECT format('ALTER DATABASE %I SET %I = %s', :'new', split_part(one, '=', 1),
              CASE split_part(one, '=', 1)
                WHEN 'search_path' THEN (SELECT string_agg(quote_literal(btrim(part, ' "')), ', ')
                                           FROM regexp_split_to_table(substr(one, strpos(one, '=') + 1), ',') part)
                ELSE quote_literal(substr(one, strpos(one, '=') + 1)) END)
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) one
 WHERE d.datname = :'name' AND s.setrole = 0 \\gexec
"""
# The first statement waits for seconds until nobody is connected, and meanwhile nobody can connect (dbcommands.c).
SWAP = """\
BEGIN;
ALTER DATABASE :"name" RENAME TO :"old";
ALTER DATABASE :"new" RENAME TO :"name";
COMMIT;
"""
END_CONNECTIONS = """\
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname IN (:'name', :'new') AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE');
"""
CLEAN = """\
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname IN (:'new', :'old') \\gexec
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'new' \\gexec
"""
# Of those that it may see the size of: not RDS's own.
USED = """\
SELECT json_build_object('used', coalesce(sum(pg_database_size(oid)), 0)) FROM pg_database
 WHERE has_database_privilege(oid, 'CONNECT');
"""
TRUSTED = "SELECT DISTINCT name FROM pg_available_extension_versions WHERE trusted OR name = 'plpgsql'"


def restore(work: Work, channel: Channel) -> Outcome:
    """Have in the database what a dump holds; `restore-failed`, `dump-unreadable`, `dump-newer`, `backup-gone`,
    `url-refused`, `backup-no-room`."""
    server = postgres.server_for({"server": work.job.server} if work.job.server else {}, channel)
    _fetch(work)
    listed = contents(work)
    _check_room(work, server)
    name = checked(work.job.database)
    names: dict[str, str | int] = {"name": name, "new": f"{name}_new", "old": f"{name}_old"}
    new = in_database(work.job.url, f"{name}_new")
    try:
        postgres_sql.run(server, PREPARE, names)
        wanted, skipped = choose(listed, work.ask(TRUSTED, url=new).split())
        size = patiently(lambda: _fill(work, new, wanted))
        work.ask("ANALYZE", url=new)
        _swap(server, names)
    finally:
        postgres_sql.run(server, CLEAN, names)
    return Outcome(COMPLETED, "", size, skipped=tuple(skipped))


def contents(work: Work) -> str:
    """What is in the dump, as `pg_restore --list` says it; `dump-unreadable`, `dump-newer`."""
    words = work.program("pg_restore", "--list")[:-1]
    with _opened(work) as source, tempfile.TemporaryFile() as complaints:
        begin = source.read(CHUNK)
        if not begin.startswith(DUMP):
            raise HostFailure("dump-unreadable", {"said": _guess(begin)})
        with _started(words, work, complaints, subprocess.PIPE) as process:
            _feed(process, begin, source, lambda count: None)
            assert process.stdout is not None
            listed = process.stdout.read().decode(errors="replace")
        said = last(complaints)
        if process.returncode:
            newer = NEWER.search(said)
            facts = {"format": newer[1] if newer else "", "version": work.programs.parent.name, "said": said}
            raise HostFailure("dump-newer" if newer else "dump-unreadable", facts)
    return listed


def choose(listed: str, trusted: Sequence[str]) -> tuple[str, list[str]]:
    """The list without what the database's role may not make, and what that is, in words."""
    kept, skipped = [], []
    for line in listed.splitlines():
        entry = ENTRY.fullmatch(line)
        if entry is None or (why := _left_out(entry["what"], trusted)) is None:
            kept.append(line)
        elif why:
            skipped.append(why)
    return "\n".join(kept) + "\n", sorted(set(skipped))


def _left_out(what: str, trusted: Sequence[str]) -> str | None:
    """None where an entry stays; else what is missing without it, empty where nothing is."""
    if found := EXTENSION.match(what):
        is_there = found["name"] in trusted
        return "" if found["about"] else None if is_there else f"extension {found['name']}"
    if what.startswith(NEVER):
        return "event triggers" if "EVENT TRIGGER" in what else ""
    words = what.split()
    if any(word in HEROKUS for word in words[:4]):
        return "Heroku's own schema _heroku"
    return "publications" if what.startswith("PUBLICATION") else None


def _fetch(work: Work) -> None:
    source = work.job.source or {}
    if url := source.get("url"):
        backup_dumps.fetch(url, work.own.upload)


@contextmanager
def _opened(work: Work) -> Iterator[Readable]:
    source = work.job.source or {}
    if "backup" in source:
        with backup_dumps.opened(work.paths, *source["backup"]) as stream:
            yield stream
    else:
        with work.own.upload.open("rb") as file:
            yield file


def _check_room(work: Work, server: Server) -> None:
    """There are two databases for a while: on this host's disk, or on RDS's, which stops where it is full."""
    original = int((work.job.source or {}).get("original", 0))
    if work.job.server is None:
        backup_dumps.check_room(work.paths.root, 0, original)
    elif work.job.storage:
        used = int(postgres_sql.ask(server, USED, {})["used"])
        if used + original > work.job.storage * RDS_FULL:
            facts = {"address": server.place, "used": used, "needed": original, "storage": work.job.storage}
            raise HostFailure("rds-no-room", facts)


def _fill(work: Work, url: str, wanted: str) -> int:
    """Restore into it; the bytes of the dump."""
    with tempfile.TemporaryFile() as listed, tempfile.TemporaryFile() as complaints, _opened(work) as source:
        listed.write(wanted.encode())
        listed.flush()
        # It opens the list again by this name, as the app's user.
        Path(f"/proc/self/fd/{listed.fileno()}").chmod(0o444)
        words = work.program("pg_restore", *OPTIONS, f"--use-list=/dev/fd/{listed.fileno()}", url=url)
        with _started(words, work, complaints, None, listed.fileno()) as process:
            size = _feed(process, b"", source, telling(work.own))
            _await(process, work)
        if process.returncode:
            raise HostFailure("restore-failed", {"said": last(complaints)})
    return size


@contextmanager
def _started(
    words: Sequence[str], work: Work, complaints: IO[bytes], out: int | None, *passed: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A program between pipes, which ends where its caller does."""
    out = subprocess.DEVNULL if out is None else out
    env = work.environment()
    with subprocess.Popen(
        words, env=env, cwd="/", stdin=subprocess.PIPE, stdout=out, stderr=complaints, pass_fds=passed
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _feed(process: subprocess.Popen[bytes], begin: bytes, source: Readable, tell: Callable[[int], None]) -> int:
    """Give it the dump, as much as it wants; the bytes that it took."""
    assert process.stdin is not None
    taken = 0
    try:
        data = begin or source.read(CHUNK)
        while data:
            process.stdin.write(data)
            taken += len(data)
            tell(taken)
            data = source.read(CHUNK)
        process.stdin.close()
    except BrokenPipeError:  # it has read enough, or has failed
        pass
    return taken


def _await(process: subprocess.Popen[bytes], work: Work) -> None:
    """Its end; indexes are made last, and the disk may become full of them."""
    while True:
        try:
            process.wait(OFTEN)
        except subprocess.TimeoutExpired:
            if work.job.server is None:
                backup_dumps.check_room(work.paths.root, 0)
            continue
        return


def _swap(server: Server, names: dict[str, str | int]) -> None:
    """Let the new database take the old one's place, whoever is connected."""
    for again in range(TRIES, 0, -1):
        over = threading.Event()
        ending = threading.Thread(target=_end_connections, args=(server, names, over), daemon=True)
        ending.start()
        try:
            postgres_sql.run(server, SWAP, names)
        except HostFailure as failure:
            if again == 1 or "being accessed" not in str(failure.details.get("said")):
                raise
            continue
        finally:
            over.set()
            ending.join()
        return


def _end_connections(server: Server, names: dict[str, str | int], over: threading.Event) -> None:
    while not over.wait(0.2):
        try:
            postgres_sql.run(server, END_CONNECTIONS, names)
        except HostFailure:
            time.sleep(OFTEN)


def _guess(begin: bytes) -> str:
    if begin.lstrip().startswith((b"--", b"SET ", b"CREATE ", b"\\")):
        return "It is SQL in plain text."
    if begin.startswith(b"\x1f\x8b"):
        return "It is compressed by gzip."
    return "It is empty." if not begin else f"It begins with {begin[:12]!r}."
