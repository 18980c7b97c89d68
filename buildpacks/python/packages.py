"""The package managers: which one an app uses, and the layer that its packages become."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from buildpacks.plan import Layer, Run
from buildpacks.python.errors import BrokenLock, MisspeltFile, NoPackageManager, SeveralPackageManagers
from buildpacks.python.requirements import Reads, reads
from buildpacks.tree import Tree

VENV = ".heroku/python"
HOME = f"/app/{VENV}"
POETRY = "poetry==2.1.4"
PIPENV = "pipenv==2025.0.4"
# Index settings that an app may have among its config vars.
INDEX_VARS = (
    "PIP_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
)
MISSPELT = (
    "requirement.txt",
    "Requirements.txt",
    "requirements.text",
    "requirements.txt.txt",
    "requirments.txt",
    "requriements.txt",
    "requirements",
)
HINTS = {
    "Pipfile": "There is a `Pipfile`, but no lock: run `pipenv lock`.",
    "pyproject.toml": "There is a `pyproject.toml`, but no lock: run `uv lock` or `poetry lock`.",
    "setup.py": "There is a `setup.py`: a requirements.txt with the line `.` installs it.",
    "pdm.lock": "`pdm.lock` is not read: `pdm export -o requirements.txt` makes one that is.",
}


@dataclass(frozen=True, slots=True)
class Manager:
    """One package manager: the file that tells of it, the command as people know it, and what it does."""

    file: str
    shown: str
    steps: tuple[Run, ...]
    inputs: Callable[[Tree], Reads]


def manager(tree: Tree) -> Manager:
    """The one that this source uses. Raises Refused where there is none, or more than one."""
    found = [one for one in MANAGERS if one.file in tree]
    if len(found) > 1:
        raise SeveralPackageManagers(", ".join(f"`{one.file}`" for one in found))
    if found:
        return found[0]
    for name in MISSPELT:
        if name in tree:
            raise MisspeltFile(name, "requirements.txt")
    raise NoPackageManager(next((hint for name, hint in HINTS.items() if name in tree), ""))


def layer(
    tree: Tree, using: Manager, interpreter: tuple[str, ...], python: str, *, platform: str, with_pip: bool
) -> Layer:
    """The folder of installed packages. `interpreter` tells `uv venv` which Python to take, `python` the version that
    counts."""
    seed = ("--seed",) if with_pip else ()
    decided = using.inputs(tree)
    return Layer(
        name="dependencies",
        path=VENV,
        inputs=decided.inputs,
        volatile=decided.volatile,
        facts={"Python": python, "platform": platform, "package manager": using.shown, "pip": str(with_pip).lower()},
        config_vars=INDEX_VARS,
        steps=(
            Run(command=("uv", "venv", "-q", "--no-project", "--clear", *seed, *interpreter, HOME)),
            *using.steps,
        ),
        title=f"Installing dependencies using '{using.shown}'",
        reused="Using cached dependencies",
    )


def _from_requirements(tree: Tree) -> Reads:
    return reads(tree)


def _from_uv(tree: Tree) -> Reads:
    """A project that is installed itself is built from its source: then all of it counts."""
    project = _toml(tree, "pyproject.toml")
    packaged = "build-system" in project and project.get("tool", {}).get("uv", {}).get("package", True)
    members = any(key in project.get("tool", {}).get("uv", {}) for key in ("workspace", "sources"))
    return Reads(("",)) if packaged or members else Reads(("pyproject.toml", "uv.lock", "uv.toml"))


def _from_poetry(tree: Tree) -> Reads:
    project = _toml(tree, "pyproject.toml").get("tool", {}).get("poetry", {})
    locked = _toml(tree, "poetry.lock").get("package", [])
    local = any(one.get("source", {}).get("type") in ("directory", "file") for one in locked)
    bare = project.get("package-mode") is False and not local
    return Reads(("pyproject.toml", "poetry.lock", "poetry.toml")) if bare else Reads(("",))


def _from_pipenv(tree: Tree) -> Reads:
    try:
        locked = json.loads(tree.text("Pipfile.lock") or "").get("default", {})
    except (ValueError, AttributeError) as error:
        raise BrokenLock("Pipfile.lock", str(error)) from error
    local = any("path" in one or "file" in one for one in locked.values() if isinstance(one, dict))
    return Reads(("",)) if local else Reads(("Pipfile", "Pipfile.lock"))


def _toml(tree: Tree, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(tree.text(path) or "")
    except tomllib.TOMLDecodeError as error:
        raise BrokenLock(path, str(error)) from error


def _installed_by(package: str, *command: str) -> tuple[Run, ...]:
    """A package manager that is a Python program itself works in the environment that VIRTUAL_ENV names."""
    environment = {"VIRTUAL_ENV": HOME, "PIPENV_IGNORE_VIRTUALENVS": "0", "PIPENV_VERBOSITY": "-1"}
    return (
        Run(
            command=("uv", "tool", "run", "-q", "--python", "/usr/bin/python3", "--from", package, *command),
            env=environment,
        ),
        Run(command=("python", "/opt/tools/python/compile.py", "--folder", f"{HOME}/lib")),
    )


UV_PIP = ("uv", "pip", "install", "--compile-bytecode", "--python", HOME, "-r", "requirements.txt")
UV_SYNC = ("uv", "sync", "--locked", "--no-default-groups", "--compile-bytecode", "--python", f"{HOME}/bin/python")
MANAGERS = (
    Manager("requirements.txt", "uv pip install -r requirements.txt", (Run(command=UV_PIP),), _from_requirements),
    Manager(
        "uv.lock",
        "uv sync --locked --no-default-groups",
        (Run(command=UV_SYNC, env={"UV_PROJECT_ENVIRONMENT": HOME}),),
        _from_uv,
    ),
    Manager(
        "poetry.lock",
        "poetry sync --only main",
        _installed_by(POETRY, "poetry", "sync", "--only", "main", "--no-interaction", "--no-ansi"),
        _from_poetry,
    ),
    Manager(
        "Pipfile.lock", "pipenv install --deploy", _installed_by(PIPENV, "pipenv", "install", "--deploy"), _from_pipenv
    ),
)
