"""The agent's `postgres` call: the space's own PostgreSQL on its first host, or the one that RDS runs for it, and a
database and role for each add-on.

| do | request | result |
| --- | --- | --- |
| ensure | `{address, names: [host name], hosts: [address]}` | events `changed {what}`; `{version, port, ca, changed}` |
| trust | `{ca}` | any host: the authority's certificate; events `changed {what}`; `{changed}` |
| create | `{name, password, connections}` | a role and its database of the same name, made or made right: `{}` |
| drop | `{name}` | ends its connections; `{}` also where there is none |
| keep | `{name}` | drops all others of ours from a server of RDS that was filled from another; `{dropped}` |
| info | `{name}` | `{version, size, tables, connections, limit}`; size in bytes |

The last four with `server: {address, port, user, password}` are about that of RDS (host/rds.py), from any host.

Errors: `postgres-missing`, `postgres-down`, `postgres-disk-full`, `postgres-refused`, `postgres-no-database`; of
RDS's the same as `rds-...`, and `rds-full`; `keep` of one that is not there `rds-no-database`.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import certificates, postgres_sql, rds
from deployer.host.channel import Channel
from deployer.host.postgres_cluster import Changes, Cluster, down, ensure_cluster, find_cluster
from deployer.host.postgres_config import scram
from deployer.host.postgres_sql import Server, checked

Request = dict[str, Any]


def postgres(request: Request, channel: Channel) -> dict[str, Any]:
    """Do what `do` says; the table above has requests and results."""
    work = _DO.get(request.get("do", ""))
    if work is None:
        raise HostFailure("bad-request", {"reason": f"postgres cannot {request.get('do')!r}"})
    try:
        return work(request, channel)
    except HostFailure as failure:
        if "server" in request:
            raise rds.elsewhere(failure, request["server"]["address"]) from None
        cluster = (
            find_cluster(channel.paths) if failure.code == "postgres-down" and not failure.details["log"] else None
        )
        raise down(channel.paths, cluster.version, failure.details["said"]) if cluster else failure from None


def ensure(request: Request, channel: Channel) -> dict[str, Any]:
    """Have the cluster, its certificates and its settings; started, and started at boot."""
    changes = Changes(channel)
    cluster = ensure_cluster(channel.paths, request["address"], request["names"], request["hosts"], changes)
    ca = (channel.paths.root / "ca/ca.crt").read_text()
    return {"version": cluster.version, "port": cluster.port, "ca": ca, "changed": changes.count}


def trust(request: Request, channel: Channel) -> dict[str, Any]:
    """Have this host's programs able to verify the space's servers."""
    changes = Changes(channel)
    if certificates.trust(channel.paths.system, request["ca"]):
        changes.tell(f"certificate authority of the space in /{certificates.TRUSTED}")
    return {"changed": changes.count}


def create(request: Request, channel: Channel) -> dict[str, Any]:
    """Have a role and its database; a second time sets password and limit again."""
    make = rds.create_database if "server" in request else create_database
    make(server_for(request, channel), request["name"], request["password"], int(request["connections"]))
    return {}


def drop(request: Request, channel: Channel) -> dict[str, Any]:
    """Have neither role nor database of that name."""
    if "server" in request or find_cluster(channel.paths) is not None:
        drop_database(server_for(request, channel), request["name"])
    return {}


def keep(request: Request, channel: Channel) -> dict[str, Any]:
    """Have no other database of ours there: they came along with this one."""
    server, name = server_for(request, channel), request["name"]
    others = rds.others(server, name)
    for other in others:
        drop_database(server, other)
    return {"dropped": others}


def info(request: Request, channel: Channel) -> dict[str, Any]:
    """What a database is like now."""
    return describe_database(server_for(request, channel), request["name"])


def create_database(server: Server, name: str, password: str, connections: int) -> None:
    """What `create` does, on a server of a host's own."""
    verifier = scram(password, secrets.token_bytes(16))
    values: dict[str, str | int] = {"name": checked(name), "verifier": verifier, "connections": connections}
    postgres_sql.run(server, postgres_sql.CREATE, values)


def drop_database(server: Server, name: str) -> None:
    """What `drop` does, on any server."""
    postgres_sql.run(server, postgres_sql.DROP, {"name": checked(name)})


def describe_database(server: Server, name: str) -> dict[str, Any]:
    """What `info` does, on any server; `postgres-no-database` where there is none."""
    values = {"name": checked(name)}
    if not postgres_sql.ask(server, postgres_sql.EXISTS, values)["exists"]:
        raise HostFailure("postgres-no-database", values)
    return postgres_sql.ask(server, postgres_sql.INFO, {}, database=name)


def server_for(request: Request, channel: Channel) -> Server:
    """The one that a request is about: RDS's, or this host's; `postgres-missing`."""
    if "server" in request:
        return rds.server_of(request["server"], channel)
    cluster = find_cluster(channel.paths)
    if cluster is None:
        raise HostFailure("postgres-missing", {"path": str(channel.paths.root / "postgresql")})
    return server_of(cluster, channel.paths.system)


def server_of(cluster: Cluster, system: Path) -> Server:
    """How to talk to a cluster on this host."""
    programs = system / "usr/lib/postgresql" / cluster.version / "bin"
    return Server(str(programs), str(system / "run/postgresql"), cluster.port)


_DO = {"ensure": ensure, "trust": trust, "create": create, "drop": drop, "keep": keep, "info": info}
