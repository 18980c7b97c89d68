"""What a buildpack may look at: the paths of a source and the text of its files."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

LARGEST = 8 << 20  # bytes: no file that a plan depends on is larger


class Tree:
    """A source as it lies, read only. Paths are relative, with `/`; links count as files and are never followed."""

    def __init__(self, files: Iterable[str], read: Callable[[str], bytes]) -> None:
        self.files = tuple(sorted(files))
        self._known = frozenset(self.files)
        self._folders = frozenset(folder for file in self.files for folder in _parents(file))
        self._read = read

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Tree:
        """A tree out of texts by path."""
        return cls(texts, lambda path: texts[path].encode())

    @classmethod
    def of_folder(cls, folder: Path) -> Tree:
        """The tree below a folder."""
        return cls(_files(str(folder), ""), lambda path: _content(folder / path))

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def has_folder(self, path: str) -> bool:
        """Whether something lies below `path`."""
        return path in self._folders

    def text(self, path: str) -> str | None:
        """A file's text without a byte order mark; None where there is none. Bytes that are no UTF-8 become `�`."""
        return self._read(path).decode("utf-8-sig", "replace") if path in self._known else None

    def matching(self, pattern: str) -> list[str]:
        """The paths that match a shell pattern, in which `*` does not cross folders: `*.sln`, `project/*.scala`."""
        depth = pattern.count("/")
        return [file for file in self.files if file.count("/") == depth and fnmatch.fnmatchcase(file, pattern)]

    def nearest(self, name: str, depth: int) -> str | None:
        """The path of the file of that name that lies least deep, at most `depth` folders down."""
        found = [file for file in self.files if file.rpartition("/")[2] == name and file.count("/") <= depth]
        return min(found, key=lambda file: (file.count("/"), file), default=None)


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: i + 1]) for i in range(len(parts)))


def _files(root: str, prefix: str) -> Iterable[str]:
    with os.scandir(f"{root}/{prefix}") as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(root, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name


def _content(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as stream:
        return stream.read(LARGEST)
