"""What the agent tells PostgreSQL, as scripts for psql, and what it reads back.

A script travels on psql's standard input; values stand in it as psql variables, quoted in `variables` and nowhere else,
and are used as `:"name"` and `:'name'`. Nothing of it is ever in the arguments of a process.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.errors.base import HostFailure

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
TIMEOUT = 120.0  # seconds: no script of ours works for so long
NO_CONNECTION = 2  # psql's exit status
DISK_FULL = ("No space left on device", "could not write init file")  # the second while one connects
# What an app's owner may have set for a database must not lead the superuser's queries to the app's own functions.
OPTIONS = "-c search_path=pg_catalog -c statement_timeout=110s"

CREATE = """\
SELECT format('CREATE ROLE %I', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \\gexec
ALTER ROLE :"name" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  CONNECTION LIMIT :connections PASSWORD :'verifier';
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
ALTER DATABASE :"name" OWNER TO :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
"""

DROP = """\
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname = :'name' \\gexec
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'name' \\gexec
"""

# In the postgres database: what it says of databases that nobody needs to enter.
EXISTS = "SELECT json_build_object('exists', EXISTS (SELECT FROM pg_database WHERE datname = :'name'));\n"

# In the app's own database.
INFO = """\
SELECT json_build_object(
  'version', current_setting('server_version'),
  'size', pg_database_size(current_database()),
  'tables', (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'),
  'connections', (SELECT count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
                   WHERE r.rolname = current_database()),
  'limit', (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_database()));
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL: the folder of programs for it, its socket's folder or its name, its port. psql runs as the
    system user `user`, and is `role` there: the superuser of one on this host. With a `password` it is one elsewhere,
    whose certificate is verified by those in the file `authorities`."""

    programs: str
    place: str
    port: int
    user: str = "postgres"
    role: str = "postgres"
    password: str = field(default="", repr=False)
    authorities: str = ""

    def words(self, database: str) -> list[str]:
        """psql in it, without a word that is secret."""
        words = [f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"]
        return [*words, "-h", self.place, "-p", str(self.port), "-U", self.role, "-d", database]

    def environment(self) -> dict[str, str]:
        """psql's: readable by its user and root, and the only place that the password is in."""
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGOPTIONS": OPTIONS, "PGCONNECT_TIMEOUT": "10"}
        if not self.password:
            return env
        verified = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": self.authorities}
        return {**env, **verified, "PGPASSWORD": self.password}


def variables(values: Mapping[str, str | int]) -> str:
    """`\\set` lines for psql. The one place that quotes."""
    return "".join(f"\\set {name} {_quoted(str(value))}\n" for name, value in values.items())


def checked(name: object) -> str:
    """A name of a database and its role; `bad-request` for what we would never have chosen."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.startswith(("pg_", "postgres", "template")):
        raise HostFailure("bad-request", {"reason": f"no database is called {name!r}"})
    return name


def run(server: Server, script: str, values: Mapping[str, str | int], database: str = "postgres") -> str:
    """Run a script; what it printed. `postgres-down`, `postgres-disk-full` or `postgres-refused`."""
    try:
        done = subprocess.run(
            server.words(database),
            input=variables(values) + script,
            env=server.environment(),
            cwd="/",
            user=server.user,
            group=server.user,
            extra_groups=[],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HostFailure("postgres-down", {"said": f"no answer in {TIMEOUT:g} s", "log": "", "unit": ""}) from error
    if done.returncode:
        raise failure(done.returncode, done.stderr)
    return done.stdout


def ask(server: Server, script: str, values: Mapping[str, str | int], database: str = "postgres") -> dict[str, Any]:
    """Run a script that prints one JSON object."""
    answer: dict[str, Any] = json.loads(run(server, script, values, database))
    return answer


def failure(status: int, said: str) -> HostFailure:
    """What psql's end means."""
    said = said.strip()[-1000:]
    if any(sign in said for sign in DISK_FULL):
        return HostFailure("postgres-disk-full", {"said": said})
    if status == NO_CONNECTION:
        return HostFailure("postgres-down", {"said": said, "log": "", "unit": ""})
    return HostFailure("postgres-refused", {"said": said})


def _quoted(value: str) -> str:
    if "\n" in value or "\0" in value:
        raise HostFailure("bad-request", {"reason": "a value with a line break or a NUL"})
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
