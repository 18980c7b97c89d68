"""The call `remove`: nothing of an app is left on this host."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deployer.host import dyno_files, launch, router, run, systemd, task, units, users
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.model.dyno import parse_instance


def remove(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Routes first, so that nobody is sent to what is going; then dynos, files, and the user."""
    paths, app = channel.paths, request["app"]
    placed = dyno_files.of_app(paths, app)
    router.forget(paths, app)
    task.end_all(paths, app)
    run.end_all(paths, app)
    launch.take_down(paths, [one.instance for one in placed])
    for folder in (*_of_app(paths.tasks, app), *_of_app(paths.dynos, app), *_of_app(paths.scratch, app)):
        systemd.stop([dyno_files.helper_unit(folder.name)])
        shutil.rmtree(folder, ignore_errors=True)
    _remove_folder(paths, app)
    return {}


def _of_app(folder: Path, app: str) -> list[Path]:
    """Folders of the app's instances, also of those whose files are only half there; never by a prefix of the name."""
    return [path for path in folder.glob("*") if _app_of(path.name) == app]


def _app_of(instance: str) -> str | None:
    try:
        return parse_instance(instance).app
    except ValueError:
        return None


def _remove_folder(paths: Paths, app: str) -> None:
    """The layers and blobs; the highest token stays, so that a sleeping laptop's old command is still refused."""
    folder = paths.app(app)
    uid = folder.blobs.stat().st_uid if folder.blobs.exists() else 0
    for path in folder.root.glob("*"):
        if path in (folder.token, folder.at_work):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if uid >= users.FIRST_UID and os.geteuid() == 0:
        subprocess.run(["userdel", "--force", units.user(uid)], check=False, capture_output=True)
