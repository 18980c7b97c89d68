"""Manifests of layers that this machine has shipped: what the next manifest is told as a difference to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deployer.build import folders

KEPT = 100  # manifests; an app's own layer has some ten kilobytes of it, a large dependency layer a megabyte


def remembered_here() -> Remembered:
    """Those of this user on this machine."""
    return Remembered(folders.cache_folder() / "manifests")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Manifests by their digests, in a cache folder: whatever is missing costs bytes, never correctness."""

    folder: Path

    def recall(self, digest: str) -> bytes | None:
        """The manifest of a layer that was shipped from here."""
        with suppress(FileNotFoundError):
            return (self.folder / digest).read_bytes()
        return None

    def remember(self, manifests: Iterable[tuple[str, bytes]]) -> None:
        """Keep manifests; the least recently shipped go."""
        folders.make(self.folder)
        for digest, manifest in manifests:
            path = self.folder / digest
            if path.exists():
                os.utime(path)
            else:
                new = self.folder / f".{digest}.{os.getpid()}"
                new.write_bytes(manifest)
                folders.hand_over(new)
                new.rename(path)
        self._forget()

    def _forget(self) -> None:
        with suppress(FileNotFoundError):  # another command forgets at the same time
            oldest_first = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in oldest_first[:-KEPT]:
                path.unlink()
