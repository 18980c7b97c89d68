"""RDS: for each PostgreSQL that moto makes, a real one, at an address of a data subnet, under the name of its endpoint.

As there, its superuser is AWS's own; the master is none, and has the password that Secrets Manager keeps. It takes TLS
alone, with a certificate of an authority of its own, which is where AWS keeps that of the region (`BUNDLES`)."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployer.host import certificates, postgres_sql
from deployer.host.postgres_sql import Server
from deployer.spaces.aws.rds import TRUSTSTORE
from deployer.spaces.sandbox import process
from deployer.spaces.sandbox.process import Process
from tests.box.ground import Ground
from tests.box.lent import Lent
from tests.box.origin import Origin
from tests.box.resolver import Resolver
from tests.box.scaling import backends
from tests.box.walls import members, rule
from tests.infra.moto_here import ACCOUNT, Mend

USER = "postgres"  # of the image
INSIDE = "/srv"  # where the server sees its folder
DATA = f"{INSIDE}/data"
SUPERUSER = "rdsadmin"
PORT = 5432
KEEPING = ("modify_db_instance", "create_db_snapshot")
FILLING = ("from_db_snapshot", "to_point_in_time")
STARTS_WITHIN = 30.0  # seconds
CONNECTIONS = {"db.t4g.micro": 80, "db.t4g.medium": 400}  # what RDS makes of a class's memory, about
MASTER = """\
CREATE ROLE :"master" LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD :'password';
ALTER DATABASE postgres OWNER TO :"master";
ALTER DATABASE template1 OWNER TO :"master";
"""
SWITCH = "SELECT txid_current() AS nothing \\gset\nSELECT pg_walfile_name(pg_switch_wal());\n"
HBA = f"local all,replication {SUPERUSER} peer map=rds\n"
CONF = """\
listen_addresses = '{address}'
port = {port}
unix_socket_directories = '/srv'
max_connections = {connections}
ssl = on
ssl_cert_file = '/srv/tls/server.crt'
ssl_key_file = '/srv/tls/server.key'
fsync = off
dynamic_shared_memory_type = mmap
log_statement = 'none'
"""


@dataclass
class Rds:
    """`servers` by the identifiers of instances; `authority` is the folder of the CA that nobody trusts by itself. A
    new instance is `creating` for `slow` seconds, or for good where that is None. With `archives` each keeps all that
    was ever written, so that it can be brought back to any moment; `backups` are the folders of snapshots by their
    names."""

    ground: Ground
    resolver: Resolver
    lent: Lent
    servers: dict[str, Instance] = field(default_factory=dict)
    count: int = 0
    slow: float | None = 0.0
    archives: bool = False
    backups: dict[str, Path] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Rds:
        return self

    def __exit__(self, *error: object) -> None:
        for server in self.servers.values():
            server.remove()

    @property
    def authority(self) -> Path:
        return self.ground.folder / "rds-ca"

    def begin(self, made: Any, origin: Origin | None = None) -> None:
        """Have the server of an instance of moto, filled from another where it has an `origin`; it takes connections
        when this returns."""
        if not self.servers:
            certificates.ensure_authority(self.authority)
            _publish(made.region, (self.authority / "ca.crt").read_bytes())
        self.count += 1
        server = Instance(
            self.ground.folder / f"rds/{self.count}", Path(self.ground.record.image), made, _address(made)
        )
        self.ground.lend(server.address)
        self.resolver.names[server.name] = server.address
        server.make(self.authority, origin)
        server.start()
        if origin is None:
            server.run(MASTER, {"master": made.master_username, "password": _keep_password(made)})
        server.recover()
        if self.archives:
            server.archive()
        server.let_in(_allowed(made, members(self.lent.addresses)))
        with self.lock:
            self.servers[made.db_instance_identifier] = server
        if self.slow != 0.0:
            made.status = "creating"
        if self.slow:
            self.ready_in(self.slow, made.db_instance_identifier)

    def ready_in(self, seconds: float, identifier: str) -> None:
        """Have one be there by then."""
        made = self.servers[identifier].made
        threading.Timer(seconds, lambda: setattr(made, "status", "available")).start()

    def keep_password(self, identifier: str) -> None:
        """AWS makes the master of an instance a password that it keeps."""
        server = self.servers[identifier]
        values = {"master": server.made.master_username, "password": _keep_password(server.made)}
        server.run("ALTER ROLE :\"master\" PASSWORD :'password';\n", values)

    def snapshot(self, identifier: str, name: str) -> None:
        """Keep what an instance holds now."""
        if self.archives and identifier in self.servers:
            self.backups[name] = self.servers[identifier].copied(self.ground.folder / f"rds/snapshot-{name}")

    def follow(self) -> None:
        """Let in whom security groups let in now."""
        with self.lock:
            for server in self.servers.values():
                server.let_in(_allowed(server.made, members(self.lent.addresses)))

    def finish(self, identifier: str) -> None:
        with self.lock:
            server = self.servers.pop(identifier)
            is_last = not self.servers
            server.remove()
        self.resolver.names.pop(server.name)
        self.ground.take_back(server.address)
        if is_last:
            _retract(server.made.region)


@dataclass
class Instance:
    """The server of moto's instance `made`, in a folder, at the address of its endpoint. Its programs are those of the
    `image` that hosts have. `allowed` are the networks that it lets in."""

    folder: Path
    image: Path
    made: Any
    address: str
    allowed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its endpoint's."""
        return str(self.made.address)

    @property
    def process(self) -> Process:
        return Process(self.folder / "process.json", self.folder / "log")

    def make(self, authority: Path, origin: Origin | None = None) -> None:
        uid, gid = self._owner()
        self.folder.mkdir(parents=True)
        os.chown(self.folder, uid, gid)
        if origin:
            origin.fill(self.folder)
        else:
            options = ["-U", SUPERUSER, "--locale=C.UTF-8", "-E", "UTF8", "--no-sync"]
            subprocess.run(self.words("initdb", "-D", DATA, *options), check=True, capture_output=True)
        certificates.ensure_server(authority, self.folder / "tls", [self.name], (uid, gid))
        data, connections = self.folder / "data", CONNECTIONS.get(self.made.db_instance_class, 100)
        (data / "postgresql.conf").write_text(CONF.format(address=self.address, port=PORT, connections=connections))
        if origin:
            with (data / "postgresql.conf").open("a") as conf:
                conf.write(origin.settings())
        (data / "pg_hba.conf").write_text(HBA)
        (data / "pg_ident.conf").write_text(f"rds {USER} {SUPERUSER}\n")

    def start(self) -> None:
        with (self.folder / "log").open("wb") as log:
            words = self.words("postgres", "-D", DATA)
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + STARTS_WITHIN
        while subprocess.run(self.words("pg_isready", "-q", "-h", INSIDE, "-p", str(PORT)), check=False).returncode:
            if time.monotonic() > deadline or child.poll() is not None:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.05)
        process.note(self.process.record, int((self.folder / "data/postmaster.pid").read_text().split()[0]))
        threading.Thread(target=child.wait, daemon=True).start()

    def recover(self) -> None:
        """Wait until it has read all that was written: it answers before that."""
        deadline = time.monotonic() + STARTS_WITHIN
        while self.run("SELECT pg_is_in_recovery();\n", {}).strip() != "f":
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def archive(self) -> None:
        """Keep a copy of now, and all that is written from now on."""
        wal = self.folder / "wal"
        wal.mkdir()
        os.chown(wal, *self._owner())
        with (self.folder / "data/postgresql.conf").open("a") as conf:
            conf.write("archive_mode = on\narchive_command = 'cp %p /srv/wal/%f'\n")
        subprocess.run(self.words("pg_ctl", "stop", "-D", DATA, "-m", "fast", "-s"), check=True)
        self.start()
        self.copied(self.folder / "base")

    def copied(self, target: Path) -> Path:
        """A copy of what it holds now, in a folder."""
        words = ["-D", f"{INSIDE}/copy", "-h", INSIDE, "-p", str(PORT), "-U", SUPERUSER, "-c", "fast", "-X", "fetch"]
        subprocess.run(self.words("pg_basebackup", *words), check=True, capture_output=True)
        return (self.folder / "copy").rename(target)

    def written(self) -> Path:
        """The folder of all that was written until now."""
        last = self.run(SWITCH, {}).strip()
        deadline = time.monotonic() + STARTS_WITHIN
        while not (self.folder / "wal" / last).exists():
            assert time.monotonic() < deadline, f"{last} is not archived"
            time.sleep(0.05)
        return self.folder / "wal"

    def let_in(self, allowed: frozenset[str]) -> None:
        """Over TLS alone, as `rds.force_ssl` has it."""
        if allowed == self.allowed:
            return
        lines = [f"hostssl all all {one} scram-sha-256\n" for one in sorted(allowed)]
        (self.folder / "data/pg_hba.conf").write_text(HBA + "".join(lines))
        subprocess.run(self.words("pg_ctl", "reload", "-D", DATA, "-s"), check=True)
        self.allowed = allowed

    def run(self, script: str, values: Mapping[str, str | int]) -> str:
        """A script of psql's, by its superuser, from this machine alone."""
        words = self.words(*Server("", INSIDE, PORT, USER, SUPERUSER).words("postgres"))
        told = postgres_sql.variables(values) + script
        return subprocess.run(words, input=told, check=True, capture_output=True, text=True).stdout

    def client(self, *words: str) -> subprocess.CompletedProcess[str]:
        """psql of this machine's network, to which no security group of hosts counts."""
        return subprocess.run(self.words("psql", *words), capture_output=True, text=True, check=False)

    def words(self, program: str, *words: str) -> list[str]:
        """A command of the image's, as the server's user, with the folder at `INSIDE`."""
        programs = max((self.image / "usr/lib/postgresql").iterdir(), key=lambda path: float(path.name)) / "bin"
        jail = ["bwrap", "--ro-bind", str(self.image), "/", "--bind", str(self.folder), INSIDE, "--dev", "/dev"]
        jail += ["--proc", "/proc", "--tmpfs", "/tmp", "--chdir", "/", "--"]
        path = f"/{programs.relative_to(self.image)}/{program.lstrip('/')}"
        return [*jail, "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", path, *words]

    def halt(self) -> None:
        """At once, as when what it runs on breaks; `start` has it recover."""
        subprocess.run(self.words("pg_ctl", "stop", "-D", DATA, "-m", "immediate", "-s"), check=False)
        self.process.stop(5)

    def remove(self) -> None:
        """At once, with its data."""
        self.halt()
        shutil.rmtree(self.folder)

    def _owner(self) -> tuple[int, int]:
        lines = (line.split(":") for line in (self.image / "etc/passwd").read_text().splitlines())
        return next((int(uid), int(gid)) for name, _, uid, gid, *_ in lines if name == USER)


def mends(here: list[Rds]) -> list[Mend]:
    """Instances are there when moto says so, and gone when it says so."""
    from moto.rds.models import RDSBackend

    delete, modify, keep = (getattr(RDSBackend, one) for one in ("delete_db_instance", *KEEPING))

    def delete_db_instance(backend: Any, db_instance_identifier: str, *words: Any, **others: Any) -> Any:
        gone = delete(backend, db_instance_identifier, *words, **others)
        if db_instance_identifier in here[0].servers:
            here[0].finish(db_instance_identifier)
        return gone

    def modify_db_instance(backend: Any, identifier: str, given: dict[str, Any]) -> Any:
        made = modify(backend, identifier, given)
        if given.get("manage_master_user_password"):
            here[0].keep_password(identifier)
        return made

    def create_db_snapshot(backend: Any, identifier: str, name: str, *words: Any, **others: Any) -> Any:
        made = keep(backend, identifier, name, *words, **others)
        here[0].snapshot(identifier, name)
        return made

    return [
        (RDSBackend, "delete_db_instance", delete_db_instance),
        (RDSBackend, "modify_db_instance", modify_db_instance),
        (RDSBackend, "create_db_snapshot", create_db_snapshot),
        *_making(here),
    ]


def _making(here: list[Rds]) -> list[Mend]:
    """Empty ones, and those that are filled: AWS keeps no password of their masters until somebody asks for it."""
    from moto.rds.models import RDSBackend

    create = RDSBackend.create_db_instance
    from_snapshot, to_time = (getattr(RDSBackend, f"restore_db_instance_{one}") for one in FILLING)
    origins: list[Origin] = []  # of the next instance

    def create_db_instance(backend: Any, given: dict[str, Any]) -> Any:
        made = create(backend, given)
        if made.engine == "postgres":
            here[0].begin(made, origins.pop() if origins else None)
        return made

    def filled(restore: Any, origin: Origin, *given: Any) -> Any:
        origins.append(origin)
        made = restore(*given)
        made.update(manage_master_user_password=False)
        return made

    def from_db_snapshot(backend: Any, name: str, given: Any) -> Any:
        return filled(from_snapshot, Origin(here[0].backups[name]), backend, name, given)

    def to_point_in_time(backend: Any, source: str, target: str, given: Any) -> Any:
        server, until = here[0].servers[source], str(given.get("restore_time") or "")
        return filled(to_time, Origin(server.folder / "base", server.written(), until), backend, source, target, given)

    return [
        (RDSBackend, "create_db_instance", create_db_instance),
        (RDSBackend, "restore_db_instance_from_db_snapshot", from_db_snapshot),
        (RDSBackend, "restore_db_instance_to_point_in_time", to_point_in_time),
    ]


def _address(made: Any) -> str:
    """One of a data subnet's, as moto gives instances theirs."""
    return str(made.db_subnet_group._subnets[0].get_available_subnet_ip(made))


def _allowed(made: Any, known: Mapping[str, set[str]]) -> frozenset[str]:
    """The networks that its security groups let in at its port; `known` are the addresses of each group's members."""
    groups = [e.get_security_group_from_id(one) for e in backends("ec2") for one in made.vpc_security_group_ids]
    rules = [rule(one, known) for group in groups if group for one in list(group.ingress_rules)]
    networks = [one for found in rules if found.ports[0] <= PORT <= found.ports[1] for one in found.networks]
    return frozenset(one if "/" in one else f"{one}/32" for one in networks)


def _keep_password(made: Any) -> str:
    """moto keeps one password for all masters, under another one's name."""
    password = secrets.token_urlsafe(15) + "$:(~\\%#?"  # RDS takes all but blanks, quotes, / and @
    secret = made.master_user_secret.secret
    kept = json.dumps({"username": made.master_username, "password": password})
    secret.secret_string = kept
    for version in secret.versions.values():
        version["secret_string"] = kept
    return password


def _publish(region: str, authority: bytes) -> None:
    """AWS keeps the authorities of a region's databases where everybody can read them."""
    from moto.s3.models import get_canned_acl

    s3 = _s3()
    s3.create_bucket(TRUSTSTORE, region)
    s3.put_object(TRUSTSTORE, _bundle(region), authority).set_acl(get_canned_acl("public-read"))


def _retract(region: str) -> None:
    _s3().delete_object(TRUSTSTORE, _bundle(region))
    _s3().delete_bucket(TRUSTSTORE)


def _bundle(region: str) -> str:
    return f"{region}/{region}-bundle.pem"


def _s3() -> Any:
    from moto.s3.models import s3_backends

    return s3_backends[ACCOUNT]["aws"]
