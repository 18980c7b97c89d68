"""What an installation from requirements.txt reads: other lists, folders of the source, and what it follows
elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from buildpacks.tree import Tree

INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:[ \t=]+|(?=[^\s-]))(\S+)")
EDITABLE = re.compile(r"(?:-e|--editable)(?:[ \t=]+|(?=\.))(\S+)")
VCS = re.compile(r"(?:git|hg|svn|bzr)\+[^\s#]+")
PINNED = re.compile(r"@[0-9a-f]{40}$")


@dataclass(frozen=True, slots=True)
class Reads:
    """The paths below the app that decide the result (`""` is all of it), and why it may change by itself."""

    inputs: tuple[str, ...]
    volatile: tuple[str, ...] = ()


def reads(tree: Tree, name: str = "requirements.txt") -> Reads:
    """Everything that `uv pip install -r NAME` reads of this source."""
    inputs: dict[str, None] = {}
    volatile: list[str] = []
    todo = [name]
    while todo:
        path = todo.pop(0)
        if path in inputs:
            continue
        inputs[path] = None
        for line in _lines(tree.text(path) or ""):
            if found := INCLUDE.match(line):
                todo.append(_below(posixpath.dirname(path), found[1]))
            else:
                inputs |= dict.fromkeys(_local(tree, line))
                volatile += _moving(line)
    return Reads(("",) if "" in inputs else tuple(inputs), tuple(volatile))


def _lines(text: str) -> list[str]:
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (re.split(r"(?:^|\s)#", line)[0].strip() for line in joined.splitlines())
    return [line for line in lines if line]


def _below(folder: str, path: str) -> str:
    """`path` relative to the app; the whole app where it leads out of it."""
    joined = posixpath.normpath(posixpath.join("/app", folder, path.removeprefix("file://").removeprefix("file:")))
    return posixpath.relpath(joined, "/app") if joined.startswith("/app/") else ""


def _local(tree: Tree, line: str) -> list[str]:
    """The folder or file of the source that a line names. pip reads those paths relative to where it runs."""
    editable = EDITABLE.match(line)
    word = editable[1] if editable else re.split(r"\s+@\s+|\s*;", line)[-1 if " @ " in line else 0].split(" ")[0]
    path = re.sub(r"\[.*$", "", word)
    if VCS.match(path) or re.match(r"https?:", path):
        return []
    if editable or path.startswith((".", "/", "file:")) or path in tree or ("/" in path and tree.has_folder(path)):
        return [_below("", path)]
    return []


def _moving(line: str) -> list[str]:
    found = VCS.search(line)
    return [f"{found[0]} names no commit"] if found and not PINNED.search(found[0]) else []
