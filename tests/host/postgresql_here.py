"""A PostgreSQL of the tests' own: on loopback, in a folder of its own, with the settings that hosts get."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.host import certificates, postgres_config
from deployer.host.postgres_sql import Server


@dataclass(frozen=True)
class Here:
    """`server` is for the superuser; `client` runs psql as an app's dyno would."""

    server: Server
    ca: Path
    folder: Path

    def url(
        self, name: str, password: str, database: str = "", host: str = "127.0.0.1", mode: str = "verify-full"
    ) -> str:
        tail = f"{database or name}?sslmode={mode}"
        tail += f"&sslrootcert={self.ca}" if mode.startswith("verify") else ""
        return f"postgres://{name}:{password}@{host}:{self.server.port}/{tail}"

    def client(self, url: str, *statements: str) -> subprocess.CompletedProcess[str]:
        words = [
            f"{self.server.programs}/psql",
            "-X",
            "-A",
            "-t",
            "-q",
            *(w for s in statements for w in ("-c", s)),
            url,
        ]
        return subprocess.run(words, capture_output=True, text=True, env={"HOME": "/nowhere"}, check=False)


def programs() -> str:
    """The folder of the newest PostgreSQL's programs; skips where there is none, or we cannot become its user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parent.parent.name))
    if not found or os.geteuid() != 0:
        pytest.skip("needs Debian's postgresql, and root to run it as its own user")
    return str(found[-1].parent)


@contextmanager
def running(hosts: Sequence[str] = ("127.0.0.1",), disk: str | None = None) -> Iterator[Here]:
    """Start it, stop it, remove it; on a `disk` of its own of that size, where given."""
    bin_ = programs()
    folder = Path(tempfile.mkdtemp(prefix="deployer-test-postgresql-"))
    if disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}", "deployer-test", str(folder)], check=True)
    folder.chmod(0o755)
    try:
        here = _make(folder, bin_, hosts)
        log = (folder / "log").open("w")
        words = [f"{bin_}/postgres", "-D", str(folder / "data")]
        with log, subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **_as_postgres()) as process:
            try:
                _await(here, process)
                yield here
            finally:
                process.terminate()  # SIGTERM waits for clients; the tests' own have ended
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
    finally:
        if disk:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder)


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _as_postgres() -> dict[str, object]:
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _make(folder: Path, bin_: str, hosts: Sequence[str]) -> Here:
    data, sockets = folder / "data", folder / "socket"
    postgres = pwd.getpwnam("postgres")
    for made in (data, sockets):
        made.mkdir(mode=0o700 if made is data else 0o755)
        os.chown(made, postgres.pw_uid, postgres.pw_gid)
    options = ["-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync", "--data-checksums"]
    subprocess.run(
        [f"{bin_}/initdb", "-D", str(data), *options], check=True, capture_output=True, cwd="/", **_as_postgres()
    )
    certificates.ensure_authority(folder / "ca")
    certificates.ensure_server(folder / "ca", folder / "tls", ["127.0.0.1"], (postgres.pw_uid, postgres.pw_gid))
    conf = postgres_config.conf(listen="127.0.0.1", memory=1 << 30, tls=str(folder / "tls"))
    port = free_port()
    conf += f"port = {port}\nunix_socket_directories = '{sockets}'\nfsync = off\nlog_destination = 'stderr'\n"
    (data / "postgresql.conf").write_text(conf)
    (data / "pg_hba.conf").write_text(postgres_config.hba(hosts))
    certificates.trust(folder, (folder / "ca/ca.crt").read_text())
    return Here(Server(bin_, str(sockets), port), folder / certificates.TRUSTED, folder)


def _await(here: Here, process: subprocess.Popen[bytes]) -> None:
    words = [f"{here.server.programs}/pg_isready", "-q", "-h", here.server.place, "-p", str(here.server.port)]
    while subprocess.run(words, check=False).returncode:
        assert process.poll() is None, (here.folder / "log").read_text()
        time.sleep(0.05)
