"""The call `prepare`: make a machine a host of a space. Each step looks first, so that a second run changes nothing."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from deployer.host import files, firewall, helpers, packages, roll, router, systemd, units, walls
from deployer.host.channel import Channel
from deployer.host.epoch import learn_epoch
from deployer.host.lock import host_lock, locked
from deployer.host.paths import Paths

Changed = Callable[[str], None]

JOURNALD = """\
[Journal]
Storage=persistent
SystemMaxUse=1G
# Heroku splits longer lines, too.
LineMax=10000
"""
# At boot only: what a power cut left of dynos that will not start again.
TMPFILES = """\
R! /srv/deployer/scratch/*
"""
SSHD = """\
# A command opens several channels on one connection.
MaxSessions 50
UseDNS no
"""


def prepare(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Packages, folders, helpers, units, firewall, journal, sshd, router; `{changed: n}`, each told as an event."""
    changes: list[str] = []

    def changed(what: str) -> None:
        changes.append(what)
        channel.event({"event": "changed", "what": what})

    def waiting(what: str) -> None:
        channel.event({"event": "waiting", "what": what})

    paths = channel.paths
    with _only_one(paths, waiting):
        _space(paths, request.get("space", ""), changed)
        packages.ensure(paths.system, changed, waiting, at_first_boot=paths.join_order.exists())
        _folders(paths, changed)
        _epoch(paths, int(request.get("epoch", 0)), changed)
        if request.get("roll"):  # before its router runs: one that does not count must not say that it is ready
            with host_lock(paths):
                roll.learn(paths, roll.read_told(request))
        _programs(paths, changed)
        _units(paths, changed)
        _scratch(paths, changed)
        _firewall(paths, request["hosts"], changed)
        _service_settings(paths, changed)
        router.prepare(paths, changed)
        _timer(paths, changed)
    return {"changed": len(changes)}


@contextmanager
def _only_one(paths: Paths, waiting: Changed) -> Iterator[None]:
    """One at a time: whoever was cut off has an agent that works on, and the next command waits for it."""
    paths.root.mkdir(parents=True, exist_ok=True)
    told = partial(waiting, "another command that prepares this host")
    with locked(paths.root / "prepare.lock", fcntl.LOCK_EX, told):
        yield


def _space(paths: Paths, name: str, changed: Changed) -> None:
    """Whose host this is, for a command that would make it one of another space."""
    if name and put(paths.space, f"{name}\n"):
        changed(f"host of the space {name}")


def unit_files(paths: Paths) -> dict[Path, str]:
    """The units and the settings of other services that we lay down, by path."""
    own = {
        units.DYNO.format(""): units.dyno_template(),
        units.DYNO_FS.format(""): units.dyno_fs_template(),
        units.TASK.format(""): units.task_template(),
        units.FIREWALL: units.firewall_unit(),
        units.REPAIR: units.repair_unit(),
        units.REPAIR_TIMER: units.repair_timer(),
        units.BACKUPS: units.backups_unit(),
        units.BACKUPS_TIMER: units.backups_timer(),
        units.SLICE: units.dynos_slice(),
        units.BUILDS_SLICE: units.builds_slice(),
        "nftables.service.d/deployer.conf": units.nftables_dropin(),
    }
    if paths.join_order.exists():
        own |= {units.CONVERGE: units.converge_unit(), units.CONVERGE_TIMER: units.converge_timer()}
    if router.own_front(paths):
        own |= {units.CERTIFICATES: units.certificates_unit(), units.CERTIFICATES_TIMER: units.certificates_timer()}
    return {paths.units / name: text for name, text in own.items()}


def put(path: Path, text: str, mode: int = 0o644) -> bool:
    """Make a file have this text and mode; whether it had not."""
    return files.write(path, text.encode(), mode)


def _folders(paths: Paths, changed: Changed) -> None:
    # /app is where the overlays are bound to; passing through our root is all that other users may do.
    wanted = {paths.root: 0o711, paths.apps: 0o711, paths.dynos: 0o700, paths.scratch: 0o711, paths.tasks: 0o700}
    wanted |= {paths.backups: 0o700}
    for folder, mode in {**wanted, paths.etc: 0o755, paths.system / "app": 0o755}.items():
        if not folder.is_dir():
            folder.mkdir(parents=True)
            folder.chmod(mode)
            changed(f"folder {folder}")
    # Agents hold a lock on their own folder: whoever may read it could keep them from starting.
    if paths.agents.stat().st_mode & 0o777 != 0o700:
        paths.agents.chmod(0o700)
        changed(f"folder {paths.agents}")


def _epoch(paths: Paths, epoch: int, changed: Changed) -> None:
    if learn_epoch(paths, epoch):
        changed(f"epoch {epoch}")


def _programs(paths: Paths, changed: Changed) -> None:
    for name, text in helpers.HELPERS.items():
        if put(paths.helpers / name, text, 0o755):
            changed(f"helper {name}")
    if put(paths.system / "etc/tmpfiles.d/deployer.conf", TMPFILES):
        changed("settings tmpfiles.d/deployer.conf")


def _units(paths: Paths, changed: Changed) -> None:
    fresh = [path for path, text in unit_files(paths).items() if put(path, text)]
    for path in fresh:
        changed(f"unit {path.relative_to(paths.units)}")
    if fresh:
        systemd.reload()
    if not (paths.units / "multi-user.target.wants" / units.FIREWALL).exists():
        _systemctl("enable", units.FIREWALL)
        changed(f"{units.FIREWALL} starts at boot")


def scratch_size(total: int, free: int) -> int:
    """MiB for what all dynos may write, of a disk of so many bytes: a seventh, 16 GiB at most, half of what is free."""
    return max(256, min(total // 7, 16 << 30, free // 2) >> 20)


def _scratch(paths: Paths, changed: Changed) -> None:
    """A bounded file system for overlays, where the host can have one: a container may have no loop devices."""
    unit, enabled = paths.units / units.SCRATCH, paths.units / "multi-user.target.wants" / units.SCRATCH
    if enabled.exists() or not Path("/dev/loop-control").exists() or shutil.which("mkfs.ext4") is None:
        return
    disk = shutil.disk_usage(paths.root)
    put(unit, units.scratch_unit(scratch_size(disk.total, disk.free)))
    systemd.reload()
    _systemctl("enable", "--now", units.SCRATCH)
    changed(f"unit {units.SCRATCH}")


def _firewall(paths: Paths, hosts: list[str], changed: Changed) -> None:
    with host_lock(paths):
        walls.set_hosts(paths, hosts)
        fresh = walls.save(paths)
    if fresh or not firewall.is_loaded() or walls.not_open(paths):
        firewall.load()
        changed("firewall")
    if systemd.show([units.FIREWALL], ["ActiveState"])[units.FIREWALL]["ActiveState"] != "active":
        _systemctl("start", units.FIREWALL)


def _service_settings(paths: Paths, changed: Changed) -> None:
    settings: Mapping[str, tuple[str, tuple[str, str]]] = {
        "systemd/journald.conf.d/deployer.conf": (JOURNALD, ("restart", "systemd-journald.service")),
        "ssh/sshd_config.d/deployer.conf": (SSHD, ("try-reload-or-restart", "ssh.service")),
    }
    for name, (text, order) in settings.items():
        if put(paths.system / "etc" / name, text):
            _systemctl(*order)
            changed(f"settings {name}")


def _timer(paths: Paths, changed: Changed) -> None:
    """Let this version of the agent be the one that the timers run."""
    agent, current = Path(sys.path[0]), paths.agents / "current"
    if (agent / "__main__.py").exists() and agent.parent == paths.agents and current.resolve() != agent.resolve():
        aside = paths.agents / ".current"
        aside.unlink(missing_ok=True)
        aside.symlink_to(agent.name)
        aside.rename(current)
        changed("the agent that timers run")
    timers = {units.REPAIR_TIMER: "once a minute", units.BACKUPS_TIMER: "every five minutes"}
    if paths.join_order.exists():
        timers[units.CONVERGE_TIMER] = "every ten seconds"
    if router.own_front(paths):
        timers[units.CERTIFICATES_TIMER] = "once a minute"
    for timer, often in timers.items():
        if not (paths.units / "timers.target.wants" / timer).exists():
            _systemctl("enable", "--now", timer)
            changed(f"unit {timer} runs {often}")


def _systemctl(*words: str) -> None:
    subprocess.run(["systemctl", *words], check=True, capture_output=True)
