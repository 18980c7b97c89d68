"""Databases and roles on the PostgreSQL that RDS runs for a space, by the agent of any of its hosts.

Its master is no superuser: from PostgreSQL 16 on it owns and drops what belongs to a role only as a member of it. All
connections are by TLS, and the server's certificate is verified: the host trusts the authorities of RDS already.

The limits of all roles together stay below what the server takes, so that no app, however many dynos a deploy doubles,
takes another one's connections.
"""

from __future__ import annotations

import secrets
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import certificates, postgres_sql
from deployer.host.channel import Channel
from deployer.host.postgres_cluster import installed
from deployer.host.postgres_config import scram
from deployer.host.postgres_sql import Server, checked

OF_SERVERS = ("postgres-down", "postgres-disk-full", "postgres-refused", "postgres-no-database", "rds-full")
SPARE = 1  # a connection for deployer itself

# What the server takes beside those for superusers; two who ask at once would both be promised the last ones.
ROOM = f"""\
SELECT pg_advisory_lock(hashtext('deployer')) AS nothing \\gset
SELECT most, taken, taken + :connections <= most AS fits
  FROM (SELECT (SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE - setting::int END) - {SPARE}
                  FROM pg_settings
                 WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections',
                                'rds.rds_superuser_reserved_connections')) AS most,
               (SELECT coalesce(sum(rolconnlimit), 0) FROM pg_roles
                 WHERE rolconnlimit > 0 AND rolname <> :'name') AS taken) found \\gset
"""

CREATE = f"""\
{ROOM}\\if :fits
SELECT format('CREATE ROLE %I', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \\gexec
ALTER ROLE :"name" WITH LOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT :connections PASSWORD :'verifier';
GRANT :"name" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
ALTER DATABASE :"name" OWNER TO :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database
 WHERE datname IN ('postgres', 'template1') AND pg_has_role(datdba, 'USAGE') \\gexec
\\endif
SELECT json_build_object('fits', :'fits'::bool, 'most', :most, 'taken', :taken);
"""


def create_database(server: Server, name: str, password: str, connections: int) -> None:
    """A role and its database; a second time sets password and limit again. `rds-full` where the server has not so many
    connections left."""
    verifier = scram(password, secrets.token_bytes(16))
    values: dict[str, str | int] = {"name": checked(name), "verifier": verifier, "connections": connections}
    found = postgres_sql.ask(server, CREATE, values)
    if not found["fits"]:
        raise HostFailure("rds-full", {"wanted": connections, "most": found["most"], "taken": found["taken"]})


# Names that we make (addons/postgresql.py): of databases, and of the roles that own them.
OTHERS = """\
SELECT json_build_object(
    'there', EXISTS (SELECT FROM pg_database WHERE datname = :'name'),
    'others', coalesce(json_agg(DISTINCT found.name), '[]'))
  FROM (SELECT datname AS name FROM pg_database UNION SELECT rolname FROM pg_roles) found
 WHERE found.name ~ '^u[0-9a-f]{16}$' AND found.name <> :'name';
"""


def others(server: Server, name: str) -> list[str]:
    """Databases and roles of ours beside that one; `postgres-no-database` where that one is not there."""
    found = postgres_sql.ask(server, OTHERS, {"name": checked(name)})
    if not found["there"]:
        raise HostFailure("postgres-no-database", {"name": name})
    return [str(one) for one in found["others"]]


def server_of(told: dict[str, Any], channel: Channel) -> Server:
    """The way to the server that a request has told: `{address, port, user, password}`."""
    system = channel.paths.system
    programs = system / "usr/lib/postgresql" / installed(channel.paths) / "bin"
    authorities = str(system / certificates.TRUSTED)
    place, port = str(told["address"]), int(told["port"])
    return Server(str(programs), place, port, "postgres", str(told["user"]), str(told["password"]), authorities)


def elsewhere(failure: HostFailure, address: str) -> HostFailure:
    """A failure of PostgreSQL by its other name: what is to be done about RDS's is something else."""
    if failure.code not in OF_SERVERS:
        return failure
    return HostFailure(failure.code.replace("postgres-", "rds-"), {**failure.details, "address": address})
