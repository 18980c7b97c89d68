"""Runs in the build jail: `manage.py collectstatic`, and the record of everything that it looked at.

The record is what `buildpacks.plan.Remembered` describes. Python tells an audit hook of every file that is opened,
every program that is started and every connection that is made. What it cannot tell of (`os.stat`, directory
listings) is covered by the set of all paths in the source."""

from __future__ import annotations

import importlib.util
import json
import os
import posixpath
import runpy
import sys
from pathlib import Path
from typing import Any

APP = "/app/"
# Programs that standard modules start to learn about the machine (ctypes.util.find_library, platform).
HARMLESS = {"ldconfig", "gcc", "cc", "ld", "objdump", "uname"}
PROGRAMS = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty"}


class Record:
    """What was seen while it is on: files that were read, files that were written, other influences."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.volatile: set[str] = set()
        self.on = True

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook: sees every event of this process."""
        if not self.on:
            return
        if event == "open":
            self._opened(*arguments)
        elif event in PROGRAMS:
            self._started(event, arguments)
        elif event == "socket.connect":
            self.volatile.add(f"it connects to {arguments[1]}")

    def _opened(self, path: object, mode: str | None, flags: int) -> None:
        if not isinstance(path, str | bytes):
            return
        name = posixpath.abspath(os.fsdecode(path))
        writes = bool(set(mode or "") & set("wax+")) or bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        (self.written if writes else self.read).add(name)

    def _started(self, event: str, arguments: tuple[Any, ...]) -> None:
        program = posixpath.basename(os.fsdecode(arguments[0])) if arguments and arguments[0] else event
        if event == "subprocess.Popen" and program not in HARMLESS:
            self.volatile.add(f"it runs {program}")
        elif event in {"os.system", "os.exec"}:
            self.volatile.add("it runs other programs")

    def as_json(self, output: str | None) -> str:
        """The record; what lies below `output` is the result, not an influence."""
        files = {*self.read, *map(posixpath.abspath, _module_files())}
        below = (lambda path: path.startswith(f"{output}/")) if output else (lambda path: False)
        inside = sorted(path for path in files if _counts(path) and not below(path) and Path(path).is_file())
        stray = sorted(path for path in self.written if _counts(path) and not below(path))
        volatile = [*sorted(self.volatile), *(f"it writes {path}" for path in stray)]
        return json.dumps({"read": inside, "output": output, "volatile": volatile})


def _counts(path: str) -> bool:
    return path.startswith(APP) and not path.startswith(f"{APP}.heroku/") and "/__pycache__/" not in path


def _module_files() -> list[str]:
    """Where modules were loaded from byte code, their sources were not opened."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [file for file in files if isinstance(file, str)]


def _output() -> str | None:
    """STATIC_ROOT, where it is a folder of its own below the app."""
    from django.conf import settings  # type: ignore[import-not-found]

    root = posixpath.abspath(str(settings.STATIC_ROOT or "/"))
    return root if root.startswith(APP) and Path(root).is_dir() else None


def _has_static_files() -> bool:
    from django.apps import apps  # type: ignore[import-not-found]

    return not apps.apps_ready or apps.is_installed("django.contrib.staticfiles")


def _collect(manage: str) -> int:
    """manage.py's exit status. An app without django.contrib.staticfiles has nothing to collect."""
    sys.argv = [manage, "collectstatic", "--noinput", "--traceback"]
    sys.path[0] = posixpath.dirname(posixpath.abspath(manage))
    try:
        runpy.run_path(manage, run_name="__main__")
    except SystemExit as end:
        if end.code and _has_static_files():
            raise
        if end.code:
            print("django.contrib.staticfiles is not in INSTALLED_APPS: there is nothing to collect")
            return 1
    return 0


def main(manage: str) -> None:
    """Collect and record. Exits as manage.py does where it fails."""
    record = Record()
    output = None
    if importlib.util.find_spec("django") is None:
        print("Django is not installed: there is nothing to collect")
    else:
        sys.addaudithook(record.hook)
        if _collect(manage) == 0:
            output = _output()
        record.on = False
    Path(os.environ["DEPLOYER_RECORD"]).write_text(record.as_json(output))


if __name__ == "__main__":
    main(sys.argv[1])
