"""Runs in the build jail: folders of the app that stay from build to build, in /cache.

`restore FOLDER...` copies them back, `save FOLDER...` keeps them as they are now, `around FOLDER... -- COMMAND...` has
them there only while the command runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PLACE = Path("/cache/node-folders")


def kept(folder: str) -> Path:
    """Where a folder is kept."""
    return PLACE / folder.removeprefix("./").replace("/", "%")


def restore(folders: list[str]) -> None:
    """Copy what is kept; files of the source stay as they are."""
    for folder in folders:
        for origin in sorted(kept(folder).rglob("*")):
            copy = Path(folder, origin.relative_to(kept(folder)))
            if not origin.is_dir() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, copy, follow_symlinks=False)


def save(folders: list[str]) -> None:
    """Keep the folders in the place of what was kept."""
    for folder in folders:
        shutil.rmtree(kept(folder), ignore_errors=True)
        if Path(folder).is_dir():
            shutil.copytree(folder, kept(folder), symlinks=True)


def around(folders: list[str], command: list[str]) -> int:
    """The command's exit status."""
    restore(folders)
    status = subprocess.run(command).returncode
    save(folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return status


def main(what: str, words: list[str]) -> int:
    """Do one of the three."""
    if what == "around":
        split = words.index("--")
        return around(words[:split], words[split + 1 :])
    restore(words) if what == "restore" else save(words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
