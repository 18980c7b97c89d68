"""The demo's site: Wagtail's own project template, made ready for Heroku as its documentation says, in git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
PROJECT = "portfolio"
# Where Django's own starting points name the settings of development.
STARTERS = ("manage.py", f"{PROJECT}/wsgi.py")


def make(folder: Path) -> None:
    """A new site in `folder`, with one commit on the branch main; what was there is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start_project(folder)
    shutil.copytree(HERE / "files", folder, dirs_exist_ok=True)
    shutil.copyfile(REQUIREMENTS, folder / "requirements.txt")
    for name in STARTERS:
        replace(folder / name, "settings.dev", "settings.production")
    commit_all(folder)


def start_project(folder: Path) -> None:
    """`wagtail start`, in an environment that uv makes and keeps for it."""
    words = ("uv", "tool", "run", "--quiet", "--from", f"wagtail=={wagtail_version()}", "wagtail", "start", PROJECT)
    subprocess.run([*words, str(folder)], check=True, stdout=subprocess.DEVNULL)


def wagtail_version() -> str:
    """The version that demo/requirements.txt pins."""
    pinned = re.search(r"^wagtail==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    assert pinned, f"{REQUIREMENTS} pins no wagtail"
    return pinned[1]


def replace(path: Path, old: str, new: str) -> None:
    """The template of a later Wagtail may differ: then this says so instead of deploying something else."""
    text = path.read_text()
    assert old in text, f"{path} does not say {old!r}"
    path.write_text(text.replace(old, new))


def commit_all(folder: Path) -> None:
    """A repository with everything in it, by an author of its own: this machine's may have no name yet."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Ada Example")
    git(folder, "config", "user.email", "ada@example.com")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Start from Wagtail's template")


def git(folder: Path, *words: str) -> None:
    """git in that folder, whatever repository the caller's environment names."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *words], cwd=folder, env=clean, check=True)
