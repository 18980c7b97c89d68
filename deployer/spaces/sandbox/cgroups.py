"""Control groups for systemd-nspawn machines, on machines of both kinds.

With systemd as PID 1 (cgroup v2) a machine runs in a scope with delegation. Without it (containers, some CI and
sandboxes) the hierarchies of version 1 are often still there: a machine then gets a group of its own in each of them,
and its copies of the controllers are made writable after the start: nspawn leaves them read-only, and every limit
inside would silently not hold.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "cpuset", "cpu", "cpuacct", "blkio", "devices", "freezer")


def has_systemd() -> bool:
    """Whether systemd is this machine's PID 1."""
    return Path("/run/systemd/system").is_dir()


def make(name: str) -> list[Path]:
    """A group `name` in every hierarchy; none where systemd manages them, or there are none."""
    if has_systemd() or not ROOT.is_dir():
        return []
    return [_make_one(hierarchy, name) for hierarchy in sorted(ROOT.iterdir()) if hierarchy.is_dir()]


def _make_one(hierarchy: Path, name: str) -> Path:
    parent = hierarchy / _own("memory") if hierarchy.name == "memory" else hierarchy
    group = parent / name
    group.mkdir(exist_ok=True)
    if hierarchy.name == "cpuset":  # a new group may use no processor and no memory until it is told which
        for file in ("cpuset.cpus", "cpuset.mems"):
            (group / file).write_text((hierarchy / file).read_text())
    return group


def _own(controller: str) -> str:
    """This process's group, relative to the hierarchy: a limit on it must hold for what it starts, too."""
    found = re.search(rf"^\d+:{controller}:/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    return found[1] if found else ""


def remove(name: str) -> None:
    """Remove the groups and all below them; those that still hold a process stay."""
    if has_systemd() or not ROOT.is_dir():
        return
    for group in _found(name):
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()


def members(name: str) -> list[int]:
    """The processes in these groups and below; those of a machine whose nspawn was killed stay in them."""
    if has_systemd() or not ROOT.is_dir():
        return []
    files = [file for group in _found(name) for file in group.rglob("cgroup.procs")]
    found: set[int] = set()
    for file in files:
        with suppress(OSError):
            found |= {int(pid) for pid in file.read_text().split()}
    return sorted(found)


def _found(name: str) -> list[Path]:
    own = ROOT / "memory" / _own("memory") / name
    return [group for group in [*ROOT.glob(f"*/{name}"), own, *ROOT.glob(f"memory/*/*/{name}")] if group.is_dir()]


def make_writable(leader: int) -> None:
    """Make the controllers writable in the machine whose nspawn process is `leader`, as soon as it has mounted them."""
    if has_systemd() or not (ROOT / "memory").is_dir():
        return
    init = _wait_for_init(leader)
    mounts = Path(f"/proc/{init}/mounts").read_text()
    for controller in CONTROLLERS:
        if f" {ROOT}/{controller} " in mounts:
            words = ["nsenter", "-t", str(init), "-m", "mount", "-o", "remount,bind,rw", f"{ROOT}/{controller}"]
            subprocess.run(words, check=True)


def _wait_for_init(leader: int, patience: float = 5.0) -> int:
    """The machine's PID 1: the child of nspawn that has that number inside (its first child ends early)."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for child in _children(leader):
            with suppress(OSError):
                inside = re.search(r"^NSpid:.*\s(\d+)$", Path(f"/proc/{child}/status").read_text(), re.MULTILINE)
                if inside and inside[1] == "1" and f" {ROOT}/" in Path(f"/proc/{child}/mounts").read_text():
                    return child
        time.sleep(0.01)
    raise TimeoutError(f"nspawn {leader} has started no init within {patience} s")


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
