"""The call `dismantle`: take what `prepare` and apps have put on this host off again. Packages stay.

Can be repeated: whatever is gone already is no error."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deployer.host import firewall, helpers, prepare, router_service, systemd, units
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.host.postgres_config import CLUSTER

SETTINGS = (
    "etc/systemd/journald.conf.d/deployer.conf",
    "etc/ssh/sshd_config.d/deployer.conf",
    "etc/tmpfiles.d/deployer.conf",
    "etc/postgresql-common/createcluster.d/deployer.conf",
)
ROUTERS = (
    *("haproxy.cfg", "hosts.map", "redirect.map", "state.map", "out.map", "roll.lst", "fronts.lst", "hold.lua"),
    *("roll.lua", "errors", "certificates.lst", "certificates"),
)


def dismantle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Units, router, firewall, settings, users, files; with `data` also databases and all else below our folder. Each
    thing that goes is told as an event; `{removed: n}`."""
    gone: list[str] = []

    def removed(what: str) -> None:
        gone.append(what)
        channel.event({"event": "removed", "what": what})

    paths = channel.paths
    _units(paths, removed)
    _router(paths, removed)
    _firewall(paths, removed)
    if request["data"]:
        _databases(paths, removed)
    _settings(paths, removed)
    _users(removed)
    _files(paths, request["data"], removed)
    return {"removed": len(gone)}


def _units(paths: Paths, removed: prepare.Changed) -> None:
    words = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "deployer-*", "deployer.slice"]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    running = [line.split()[0] for line in listed.splitlines() if line]
    systemd.stop([unit for unit in running if unit != units.FIREWALL])
    systemd.stop([units.FIREWALL])  # last: no dyno runs without it
    files = sorted(path for path in paths.units.glob("deployer*"))
    wants = sorted(paths.units.glob("*.wants/deployer*"))
    for path in (*wants, *files):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if running or files or wants:
        removed(f"{len(running) + len(files)} units: dynos and what they run on")
        systemd.reload()


def _router(paths: Paths, removed: prepare.Changed) -> None:
    config = paths.haproxy / "haproxy.cfg"
    dropin = paths.units / f"{router_service.UNIT}.d" / "deployer.conf"
    if not dropin.exists() and not config.exists():
        return
    subprocess.run(["systemctl", "disable", "--now", router_service.UNIT], check=False, capture_output=True)
    for name in ROUTERS:
        path = paths.haproxy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(dropin.parent, ignore_errors=True)
    removed("the router: HAProxy is stopped and starts no more at boot")


def _firewall(paths: Paths, removed: prepare.Changed) -> None:
    if firewall.is_loaded():
        subprocess.run(["nft", "delete", "table", "inet", firewall.TABLE], check=False, capture_output=True)
        removed(f"the firewall's table inet {firewall.TABLE}")
    dropin = paths.units / "nftables.service.d/deployer.conf"
    dropin.unlink(missing_ok=True)


def _clusters(paths: Paths) -> list[str]:
    return sorted(path.parent.name for path in (paths.system / "etc/postgresql").glob(f"*/{CLUSTER}"))


def _databases(paths: Paths, removed: prepare.Changed) -> None:
    for version in _clusters(paths):
        words = ["pg_dropcluster", "--stop", version, CLUSTER]
        subprocess.run(words, check=False, capture_output=True)
        shutil.rmtree(paths.system / "etc/postgresql" / version / CLUSTER, ignore_errors=True)
        removed(f"PostgreSQL {version} with all databases of the space")
    for path in (*paths.units.glob("postgresql@*-deployer.service.d"), *paths.units.glob("*.wants/*-deployer.service")):
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


def _settings(paths: Paths, removed: prepare.Changed) -> None:
    found = [name for name in SETTINGS if (paths.system / name).exists()]
    for name in found:
        (paths.system / name).unlink()
    if found:
        subprocess.run(["systemctl", "restart", "systemd-journald.service"], check=False, capture_output=True)
        subprocess.run(["systemctl", "try-reload-or-restart", "ssh.service"], check=False, capture_output=True)
        removed(f"settings {', '.join(Path(name).parent.name for name in found)}")
    systemd.reload()


def _users(removed: prepare.Changed) -> None:
    named = [entry for entry in pwd.getpwall() if entry.pw_name == units.user(entry.pw_uid)]
    for entry in named:
        subprocess.run(["userdel", "--force", entry.pw_name], check=False, capture_output=True)
    if named:
        removed(f"{len(named)} users of apps")


def _files(paths: Paths, data: bool, removed: prepare.Changed) -> None:
    """The agent that does this lies there too: it is in memory by now."""
    kept = () if data else ("backups", "postgresql", "store", "ca")
    ours = (paths.root / "scratch.img").exists()
    for path in sorted(paths.root.glob("*")):
        if path.name in kept:
            continue
        if path == paths.scratch and path.is_mount() and not ours:  # a sandbox's machine came with it
            for inside in path.glob("*"):
                _remove(inside)
        else:
            _remove(path)
    for folder in (paths.helpers, paths.etc, paths.system / "etc/ssl/deployer" if data else paths.etc):
        shutil.rmtree(folder, ignore_errors=True)
    if not any(paths.root.glob("*")):
        paths.root.rmdir()
    app = paths.system / "app"
    if app.is_dir() and not any(app.iterdir()):
        app.rmdir()
    removed(f"files: {paths.root}, {', '.join(sorted(helpers.HELPERS))}" + ("" if data else "; its data stays"))


def _remove(path: Path) -> None:
    _unmount(path)
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _unmount(path: Path) -> None:
    """Nothing is deleted through a mount that is left."""
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        place = line.split()[4]
        if place == str(path) or place.startswith(f"{path}{os.sep}"):
            subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)
