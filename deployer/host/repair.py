"""The call `repair`: what a timer runs on every host once a minute, with nobody present.

It starts what should run by what this host itself knows (the boot links of the committed release, the firewall's file,
the router's), and removes what belongs to nobody. It never stands in a command's way: an app that an agent is changing,
or whose dyno has another release beside it, is left to that command, and everything else to a dyno's own back-off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from deployer.host import dyno_files, fence, firewall, launch, layers, router_service, systemd, task, units, walls
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.host.systemd import State

PATIENCE = 300.0  # seconds for which something has been down before it is started: a command may be at it
DOWN = ("inactive", "failed")
TEMPLATES = (units.DYNO, units.TASK, units.RUN)


def repair(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Look, and mend what has been so for `patience` seconds; `{repaired: [what]}`."""
    paths, patience = channel.paths, float(request.get("patience", PATIENCE))
    done = _walls(paths) + _router(paths)
    for app in sorted(paths.apps.glob("*")):
        if not busy(paths, app.name):
            done += _dynos(paths, app.name, patience) + _tasks(paths, app.name) + _layers(paths, app.name)
    done += _leftovers(paths, patience)
    for what in done:
        channel.event({"event": "repaired", "what": what})
    return {"repaired": done}


def busy(paths: Paths, app: str) -> bool:
    """Whether an agent is changing this app just now."""
    for record in paths.app(app).at_work.glob("*"):
        pid, _, start = record.name.partition(".")
        if pid.isdigit() and fence.started(int(pid)) == start:
            return True
    return False


def _walls(paths: Paths) -> list[str]:
    if not (paths.etc / "firewall.nft").exists() or firewall.is_loaded():
        return []
    with host_lock(paths):
        walls.save(paths)
        firewall.load()
    return ["the firewall, whose rules were gone"]


def _router(paths: Paths) -> list[str]:
    """systemd starts it again after every end but one: where it gave up."""
    state = systemd.show([router_service.UNIT], ["ActiveState"])[router_service.UNIT]["ActiveState"]
    if state not in DOWN or not (paths.haproxy / "haproxy.cfg").exists():
        return []
    router_service.Systemd().start()
    return [f"the router, which was {state}"]


def _dynos(paths: Paths, app: str, patience: float) -> list[str]:
    """Start the dynos that would start at the host's boot and are down, unless another release stands beside them."""
    placed = dyno_files.of_app(paths, app)
    folder = paths.units / "multi-user.target.wants"
    linked = [one for one in placed if (folder / one.unit).is_symlink() and not _has_another(one, placed)]
    states = systemd.show([one.unit for one in linked], ["ActiveState"])
    down = [one for one in linked if _is_long_down(paths, one, states.get(one.unit, {}), patience)]
    dyno_files.forget_crashes(paths, [one.instance for one in down])
    for one in down:
        launch.announce(one)
    if down:
        systemd.start([one.unit for one in down])
    return [f"{one.dyno.name} of {app}, which was down" for one in down]


def _tasks(paths: Paths, app: str) -> list[str]:
    """What release dynos have left that ended when whoever had started them was gone."""
    with host_lock(paths):  # one that a command begins at this very moment is there with its unit, or not at all
        return [f"files of {instance}, which has ended" for instance in task.sweep(paths, app)]


def _layers(paths: Paths, app: str) -> list[str]:
    return [f"half layers of {app}, which an agent left"] if layers.sweep(paths.app(app)) else []


def _has_another(one: Placed, placed: list[Placed]) -> bool:
    return any(other.dyno.name == one.dyno.name and other.instance != one.instance for other in placed)


def _is_long_down(paths: Paths, one: Placed, state: State, patience: float) -> bool:
    """systemd forgets a unit that has stopped, and with it since when: the first look that sees it down notes that."""
    note = dyno_files.run_folder(paths) / "down" / one.instance
    if state.get("ActiveState", "inactive") not in DOWN:
        note.unlink(missing_ok=True)
        return False
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    return time.time() - note.stat().st_mtime >= patience


def _leftovers(paths: Paths, patience: float) -> list[str]:
    """Of what does not run: files that are no dyno's (any more), and overlays of dynos that have no files."""
    with host_lock(paths):
        halves = [
            folder
            for folder in sorted(paths.dynos.glob(dyno_files.INSTANCES))
            if not dyno_files.read(paths, folder.name)
        ]
        for folder in (idle := [folder for folder in halves if _is_idle(folder, patience)]):
            for template in TEMPLATES:
                dyno_files.remove(paths, [folder.name], template)
    lone = [
        folder for folder in sorted(paths.scratch.glob(dyno_files.INSTANCES)) if not paths.dyno(folder.name).exists()
    ]
    overlays = [folder for folder in lone if _is_idle(folder, patience)]
    for folder in overlays:
        _clear(folder)
    return [f"files of {name}, which is gone" for name in sorted({folder.name for folder in (*idle, *overlays)})]


def _is_idle(folder: Path, patience: float) -> bool:
    """Whether nothing has touched the folder of an instance for so long, and none of its units runs."""
    try:
        age = time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return False
    names = [template.format(folder.name) for template in (*TEMPLATES, units.DYNO_FS)]
    return age >= patience and all(s.get("ActiveState") in DOWN for s in systemd.show(names, ["ActiveState"]).values())


def _clear(folder: Path) -> None:
    if os.path.ismount(folder / "root"):
        subprocess.run(["umount", "--lazy", str(folder / "root")], check=True, capture_output=True)
    shutil.rmtree(folder)
