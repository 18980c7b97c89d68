"""Control groups for systemd-nspawn machines, on machines of both kinds.

With systemd as PID 1 (cgroup v2) a machine runs in a scope with delegation. Without it (containers, some CI and
sandboxes) the hierarchies of version 1 are often still there: a machine then gets a group of its own in each of them,
and makes its copies of the controllers writable before its systemd starts (`init`): nspawn leaves them read-only, and
every limit inside would silently not hold.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# What runs as a machine's PID 1 before systemd does. Later would be too late: systemd notes that it has no controllers.
WRITABLE = (
    'for group in /sys/fs/cgroup/*/cgroup.procs; do mount -o remount,bind,rw "${group%/cgroup.procs}"; done; '
    "exec /usr/lib/systemd/systemd"
)
PATIENCE = 3.0  # seconds until killed processes are gone


def has_systemd() -> bool:
    """Whether systemd is this machine's PID 1."""
    return Path("/run/systemd/system").is_dir()


def init(unified: bool) -> list[str]:
    """nspawn's words for what to run as PID 1; `unified` where the machine's systemd knows version 2 alone."""
    if unified or has_systemd() or (ROOT / "cgroup.controllers").is_file():
        return ["--boot"]
    return ["--kill-signal=SIGRTMIN+3", "/bin/sh", "-c", WRITABLE]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups called `name`. The file `note` lists them: where they lie depends on whose process made them."""

    name: str
    note: Path

    @property
    def scope(self) -> list[str]:
        """Words in front of a command that put it into a scope, where systemd keeps the groups."""
        if not has_systemd():
            return []
        return ["systemd-run", "--quiet", "--scope", "--collect", f"--unit={self.name}", "--property=Delegate=yes"]

    def make(self) -> list[Path]:
        """One in every hierarchy; none where systemd keeps them."""
        if has_systemd():
            return []
        groups = [_parent(hierarchy) / self.name for hierarchy in _hierarchies()]
        self.note.write_text("".join(f"{group}\n" for group in groups))
        for group in groups:
            _make(group)
        return groups

    def end(self) -> None:
        """Kill what is still in them, and remove them."""
        if has_systemd():
            words = ["systemctl", "kill", "--signal=SIGKILL", f"{self.name}.scope"]
            subprocess.run(words, check=False, stderr=subprocess.DEVNULL)
            return
        groups = [Path(line) for line in self.note.read_text().splitlines()] if self.note.exists() else []
        deadline = time.monotonic() + PATIENCE
        while not all([end(group) for group in groups]) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.note.unlink(missing_ok=True)


def _hierarchies() -> list[Path]:
    """One where only version 2 is there, else each of version 1, and the unified one beside them."""
    if (ROOT / "cgroup.controllers").is_file():
        return [ROOT]
    return sorted(path.parent for path in ROOT.glob("*/cgroup.procs") if not path.parent.is_symlink())


def _parent(hierarchy: Path) -> Path:
    """A limit on this process's memory must hold for what it starts, too."""
    if hierarchy.name != "memory":
        return hierarchy
    found = re.search(r"^\d+:memory:/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    own = hierarchy / (found[1] if found else "")
    return own if own.is_dir() else hierarchy


def _make(group: Path) -> None:
    group.mkdir(exist_ok=True)
    if group.parent.name == "cpuset":  # a new group may use no processor and no memory until it is told which
        for file in ("cpuset.cpus", "cpuset.mems"):
            (group / file).write_text((group.parent / file).read_text())


def end(group: Path) -> bool:
    """Kill what is in a group and below, and remove it; whether that worked."""
    for folder, _, files in os.walk(group, topdown=False):
        with suppress(OSError):
            if "cgroup.procs" in files:
                _kill_all(Path(folder, "cgroup.procs"))
            Path(folder).rmdir()
    return not group.exists()


def _kill_all(members: Path) -> None:
    for pid in members.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
