"""Which Python an app wants: the first of runtime.txt, .python-version, Pipfile.lock, the last build's, the
platform's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from buildpacks.plan import Target
from buildpacks.python.errors import (
    NEWEST,
    OLDEST,
    BadVersionFile,
    BrokenLock,
    MisspeltFile,
    VersionEnded,
    VersionUnknown,
)
from buildpacks.tree import Tree

VERSION = re.compile(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?")
# What people write for `.python-version` and `runtime.txt`; nothing reads these.
MISSPELT = {
    **dict.fromkeys(
        (
            ".python-version.txt",
            ".python_version",
            ".python_version.txt",
            ".pythonversion",
            ".python.version",
            ".pyton-version",
            "python-version",
            "python-version.txt",
            "python_version",
            "python_version.txt",
            "pythonversion",
            "python.version",
            "Python-version",
        ),
        ".python-version",
    ),
    **dict.fromkeys(
        ("runtime", "runtimes.txt", "Runtime.txt", "RUNTIME.txt", "runtime.txt.txt", "runtme.txt"), "runtime.txt"
    ),
}


@dataclass(frozen=True, slots=True)
class PythonVersion:
    """`3.13` or `3.13.1`, and where it comes from, in words that follow a comma."""

    version: str
    origin: str

    @property
    def minor(self) -> str:
        """`3.13`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def is_exact(self) -> bool:
        """Whether the patch release is named, too."""
        return self.version.count(".") == 2

    def is_platforms(self, target: Target) -> bool:
        """Whether the platform's own Python is what is asked for."""
        return target.python == self.version if self.is_exact else target.python.startswith(f"{self.version}.")


DEFAULT = "the platform's own"
STICKY = "as in the last build"


def choose(tree: Tree, target: Target) -> PythonVersion:
    """The version to use. Raises Refused where a file asks for none that there is."""
    for misspelt, meant in MISSPELT.items():
        if misspelt in tree and meant not in tree:
            raise MisspeltFile(misspelt, meant)
    chosen = _from_runtime(tree) or _from_version_file(tree) or _from_pipfile(tree) or _sticky(target)
    return _supported(chosen or PythonVersion(_minor(target.python), DEFAULT))


def _from_runtime(tree: Tree) -> PythonVersion | None:
    text = tree.text("runtime.txt")
    if text is None:
        return None
    found = re.fullmatch(r"python-(\S+)", text.strip())
    if found is None or not VERSION.fullmatch(found[1]):
        raise BadVersionFile("runtime.txt", _quoted(text), "python-3.13")
    return PythonVersion(found[1], "runtime.txt")


def _from_version_file(tree: Tree) -> PythonVersion | None:
    text = tree.text(".python-version")
    if text is None:
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) != 1:
        raise BadVersionFile(".python-version", f"it has {len(lines)} lines, comments aside", "3.13")
    if not VERSION.fullmatch(lines[0]):
        raise BadVersionFile(".python-version", _quoted(lines[0]), "3.13")
    return PythonVersion(lines[0], ".python-version")


def _from_pipfile(tree: Tree) -> PythonVersion | None:
    text = tree.text("Pipfile.lock")
    if text is None:
        return None
    requires = _requires(text)
    version = requires.get("python_full_version") or requires.get("python_version")
    if version is None:
        return None
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise BadVersionFile("Pipfile.lock", _quoted(str(version)), '"python_version": "3.13"')
    return PythonVersion(version, "Pipfile.lock")


def _requires(text: str) -> dict[str, Any]:
    try:
        requires = json.loads(text)["_meta"].get("requires", {})
    except ValueError as error:
        raise BrokenLock("Pipfile.lock", str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BrokenLock("Pipfile.lock", "it has no `_meta`") from error
    return requires if isinstance(requires, dict) else {}


def _sticky(target: Target) -> PythonVersion | None:
    previous = target.previous.get("python")
    return PythonVersion(previous, STICKY) if previous and VERSION.fullmatch(previous) else None


def _supported(chosen: PythonVersion) -> PythonVersion:
    if _number(chosen.minor) < _number(OLDEST):
        raise VersionEnded(chosen.minor, chosen.origin)
    if _number(chosen.minor) > _number(NEWEST):
        raise VersionUnknown(chosen.minor, chosen.origin)
    return chosen


def _number(minor: str) -> int:
    return int(minor.split(".")[1])


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _quoted(text: str) -> str:
    shown = " ".join(text.split())
    return f"it says `{shown[:60]}`" if shown else "it is empty"
