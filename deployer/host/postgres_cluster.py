"""The space's PostgreSQL cluster on its first host, made by Debian's tools and run by Debian's unit.

Data lies in /srv/deployer/postgresql/VERSION, settings in /etc/postgresql/VERSION/deployer as on every Debian: whoever
knows that knows this server, with or without us. Everything here can be repeated, and says what it changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import certificates, firewall, postgres_config, systemd, walls
from deployer.host.channel import Channel
from deployer.host.lock import host_lock, locked
from deployer.host.paths import Paths
from deployer.host.postgres_config import CLUSTER

STARTS_WITHIN = 60.0  # seconds; recovery after a power cut included
LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Cluster:
    """Debian's name of it is VERSION/deployer."""

    version: str
    port: int


class Changes:
    """Tells the caller of each change, and counts them."""

    def __init__(self, channel: Channel) -> None:
        self.count = 0
        self._channel = channel

    def tell(self, what: str) -> None:
        """Something was changed on this host."""
        self.count += 1
        self._channel.event({"event": "changed", "what": what})

    def write(self, path: Path, text: str, mode: int = 0o644) -> bool:
        """Have a file of this text; whether it was another before."""
        if path.exists() and path.read_text() == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(text)
        temporary.chmod(mode)
        temporary.rename(path)
        self.tell(f"settings {path}")
        return True


def find_cluster(paths: Paths) -> Cluster | None:
    """The space's cluster, running or not; of several, the newest version's."""
    found = [c for c in _list_clusters() if c["cluster"] == CLUSTER and _made(paths, str(c["version"])).exists()]
    newest = max(found, key=lambda c: float(c["version"]), default=None)
    return Cluster(str(newest["version"]), int(newest["port"])) if newest else None


def ensure_cluster(paths: Paths, address: str, names: Sequence[str], hosts: Sequence[str], changes: Changes) -> Cluster:
    """Have the cluster run with its settings. `address` is where dynos reach it, `names` the host's own, `hosts` the
    addresses of all hosts of the space."""
    with _locked(paths):
        cluster = find_cluster(paths) or _create(paths, changes)
        _ensure_certificates(paths, [address, *names], changes)
        _ensure_settings(paths, cluster, address, hosts, changes)
        _ensure_walls(paths, changes)
        _ensure_running(paths, cluster, changes)
    return cluster


def _list_clusters() -> list[dict[str, Any]]:
    try:
        done = subprocess.run(["pg_lsclusters", "--json"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    clusters: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return clusters


def _create(paths: Paths, changes: Changes) -> Cluster:
    version = installed(paths)
    data = paths.root / "postgresql" / version
    _put_aside(data, paths.system / "etc/postgresql" / version / CLUSTER)
    words = ["pg_createcluster", version, CLUSTER, "--datadir", str(data), "--start-conf", "auto"]
    words += ["--locale", _locale(), "--encoding", "UTF8", "--", "--data-checksums", "--auth-host", "scram-sha-256"]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise _refused(paths, done.stderr)
    _made(paths, version).touch()
    changes.tell(f"PostgreSQL {version} cluster in {data}")
    cluster = find_cluster(paths)
    assert cluster is not None, "pg_createcluster has just made it"
    return cluster


def installed(paths: Paths) -> str:
    """The newest version whose programs are on this host; `postgres-missing`."""
    folder = paths.system / "usr/lib/postgresql"
    versions = [path.parent.parent.name for path in folder.glob("*/bin/postgres")]
    if not versions or shutil.which("pg_createcluster") is None:
        raise HostFailure("postgres-missing", {"path": str(folder)})
    return max(versions, key=float)


def _put_aside(data: Path, settings: Path) -> None:
    """What a creation that was cut off left. Data is never deleted: it might be somebody's after all."""
    if data.exists():
        data.rename(data.with_name(f"{data.name}.unfinished-{int(time.time())}"))
    if settings.exists():
        shutil.rmtree(settings)


def _made(paths: Paths, version: str) -> Path:
    """Stands where a creation came to its end."""
    return paths.root / "postgresql" / f"{version}.made"


def _locale() -> str:
    """Heroku's databases sort like en_US; C sorts capitals first, but is everywhere."""
    done = subprocess.run(["locale", "-a"], capture_output=True, text=True, errors="replace", check=False)
    return "en_US.UTF-8" if "en_US.utf8" in done.stdout.split() else "C.UTF-8"


def _ensure_certificates(paths: Paths, names: Sequence[str], changes: Changes) -> None:
    authority = paths.root / "ca"
    owner = pwd.getpwnam("postgres")
    if certificates.ensure_authority(authority):
        changes.tell("certificate authority of the space")
    if certificates.ensure_server(authority, _tls(paths), names, (owner.pw_uid, owner.pw_gid)):
        changes.tell(f"certificate of PostgreSQL for {', '.join(names)}")


def _tls(paths: Paths) -> Path:
    return paths.root / "postgresql/tls"


def _ensure_settings(paths: Paths, cluster: Cluster, address: str, hosts: Sequence[str], changes: Changes) -> None:
    folder = _settings(paths, cluster)
    text = postgres_config.conf(listen=_listen(address), memory=_memory(), tls=str(_tls(paths)))
    changes.write(folder / "conf.d/deployer.conf", text)
    main = folder / "postgresql.conf"
    # Debian's default includes conf.d; /etc/postgresql-common/createcluster.conf may say otherwise.
    changes.write(main, postgres_config.including(main.read_text()))
    # Not secret: readable for all, while Debian's own is for postgres alone.
    changes.write(folder / "pg_hba.conf", postgres_config.hba(hosts))
    unit = postgres_config.unit(cluster.version)
    if changes.write(paths.units / f"{unit}.d/deployer.conf", postgres_config.dropin()):
        systemd.reload()


def _settings(paths: Paths, cluster: Cluster) -> Path:
    return paths.system / "etc/postgresql" / cluster.version / CLUSTER


def _ensure_walls(paths: Paths, changes: Changes) -> None:
    """Before it listens beyond this host: the address may be one that the whole internet reaches."""
    with host_lock(paths):
        if walls.save(paths):
            changes.tell("firewall")
        firewall.load()


def _listen(address: str) -> str:
    """The address itself, or all where it is not this host's own (a rented one behind address translation)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "*"
    return address


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _ensure_running(paths: Paths, cluster: Cluster, changes: Changes) -> None:
    """Started at boot, running, and with the settings in force that its files have: a command that was cut off between
    writing and restarting is made good by the next."""
    unit = postgres_config.unit(cluster.version)
    if not (paths.units / "multi-user.target.wants" / unit).is_symlink():
        _systemctl("enable", unit)
        changes.tell(f"{unit} starts at boot")
    wanted = _in_force(paths, cluster)
    applied = paths.root / "postgresql/applied.json"
    known = _load(applied)
    active = systemd.show([unit], ["ActiveState"])[unit]["ActiveState"] == "active"
    if active and known == wanted:
        return
    verb = "start" if not active else "reload" if known.get("restart") == wanted["restart"] else "restart"
    _systemctl(verb, unit)
    _await(paths, cluster)
    applied.write_text(json.dumps(wanted))
    changes.tell(f"{unit}: {verb}")


def _load(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _in_force(paths: Paths, cluster: Cluster) -> dict[str, str]:
    """Digests of what needs a restart and of what needs a reload."""
    folder = _settings(paths, cluster)
    files = {
        "restart": [folder / "postgresql.conf", folder / "conf.d/deployer.conf"],
        "reload": [folder / "pg_hba.conf", _tls(paths) / "server.crt"],
    }
    return {
        verb: hashlib.sha256(b"\0".join(path.read_bytes() for path in group)).hexdigest()
        for verb, group in files.items()
    }


def _systemctl(*words: str) -> None:
    # Whether it worked is seen by asking the server itself.
    subprocess.run(["systemctl", *words], capture_output=True, check=False)


def _await(paths: Paths, cluster: Cluster) -> None:
    """Until it takes connections; `postgres-down` with its last words where it does not."""
    programs = paths.system / "usr/lib/postgresql" / cluster.version / "bin"
    words = [f"{programs}/pg_isready", "-q", "-h", "/run/postgresql", "-p", str(cluster.port), "-d", "postgres"]
    deadline = time.monotonic() + STARTS_WITHIN
    while subprocess.run(words, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise down(paths, cluster.version, "it does not take connections")
        time.sleep(0.1)


def down(paths: Paths, version: str, said: str) -> HostFailure:
    """The server does not answer: with its last words, and by its own code where the disk is full."""
    if shutil.disk_usage(paths.root).free < 1 << 20:
        return HostFailure("postgres-disk-full", {"said": said})
    unit = postgres_config.unit(version)
    words = ["journalctl", "--quiet", "--no-pager", "-o", "cat", "-n", str(LOG_LINES), "-u", unit]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    return HostFailure("postgres-down", {"said": said, "log": done.stdout.strip(), "unit": unit})


def _refused(paths: Paths, said: str) -> HostFailure:
    said = said.strip()[-1000:]
    full = "No space left on device" in said or shutil.disk_usage(paths.root).free < 1 << 20
    return HostFailure("postgres-disk-full" if full else "postgres-refused", {"said": said})


@contextmanager
def _locked(paths: Paths) -> Iterator[None]:
    folder = paths.root / "postgresql"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (paths.root, folder):
        path.chmod(path.stat().st_mode & 0o777 | 0o011)  # the server's user passes through
    with locked(folder / "lock", fcntl.LOCK_EX):
        yield
