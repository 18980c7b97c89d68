"""The layers that a build has laid so far, by the path below /app where each lies."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from deployer.build import jail
from deployer.build.jail import Mount
from deployer.build.layer_cache import Kept, as_built
from deployer.build.scan import Scanned, Scope, scan, unchanged_since
from deployer.model import manifest


@dataclass(frozen=True, slots=True)
class Laid:
    """A layer in its place; one that does not ship is there for the build only."""

    kept: Kept
    ships: bool = True


@dataclass(slots=True)
class Shelf:
    """`folder` belongs to the build: the working copy lies in `app`, layers that hooks have changed in `changed`."""

    folder: Path
    machine: str
    laid: dict[str, Laid] = field(default_factory=dict)
    copied: dict[str, Path] = field(default_factory=dict)

    @property
    def app(self) -> Path:
        """The working copy, at /app in the jail."""
        return self.folder / "app"

    def lay(self, kept: Kept, *, ships: bool = True) -> None:
        """Put a layer into its place, over one that lay there."""
        self.laid.pop(kept.path, None)
        self.laid[kept.path] = Laid(kept, ships)

    def shipped(self) -> list[Kept]:
        """The layers of the slug, from the lowest to the uppermost."""
        return [laid.kept for laid in self.laid.values() if laid.ships]

    def paths(self) -> frozenset[str]:
        """Where layers lie: what the working copy holds there is hidden."""
        return frozenset(self.laid)

    def mounts(self, *, without: str | None = None) -> list[Mount]:
        """All layers, read-only, but the one at `without`."""
        return [self.mount(path, laid.kept.content) for path, laid in self.laid.items() if path != without]

    def mount(self, path: str, content: Path, *, writable: bool = False) -> Mount:
        """Content for a path below the app; the working copy gets an empty folder there for it to lie over."""
        place = self.app
        for part in path.split("/"):
            place /= part
            if place.is_symlink() or not place.is_dir():
                place.unlink(missing_ok=True)
                place.mkdir()
                own(place)
        return Mount(content, f"/app/{path}", writable)

    def copies(self, untouched: Collection[str] = ()) -> list[Mount]:
        """A writable copy of every layer but those, for a hook that may change them; `adopt` afterwards."""
        self.copied = {path: self._copy(laid.kept) for path, laid in self.laid.items() if path not in untouched}
        return [
            self.mount(path, self.copied.get(path, laid.kept.content), writable=path in self.copied)
            for path, laid in self.laid.items()
        ]

    def adopt(self) -> None:
        """Copies that were changed take their layers' places. The layers themselves stay as they were made."""
        for path, content in self.copied.items():
            laid = self.laid[path]
            self.laid[path] = replace(laid, kept=self._adopted(laid.kept, content))

    def named(self, name: str) -> Kept:
        """The layer of that name."""
        return next(laid.kept for laid in self.laid.values() if laid.kept.built.layer.name == name)

    def _copy(self, kept: Kept) -> Path:
        (self.folder / "changed").mkdir(exist_ok=True)
        root = Path(tempfile.mkdtemp(dir=self.folder / "changed"))
        root.chmod(0o755)
        place = root / "app" / kept.path
        place.parent.mkdir(parents=True)
        return copy(kept, place)

    def _adopted(self, kept: Kept, content: Path) -> Kept:
        """The layer with the copy's content, which lies as deep below its root as the layer's path is long."""
        root = content.parents[len(kept.path.split("/"))]
        before = {entry.path: entry.digest for entry in manifest.decode(kept.built.manifest)}
        scanned = scan(Scope(root, self.machine, known=unchanged_since(kept.built.root, before)))
        built = as_built(kept.built.layer.name, root, scanned)
        if built.layer.digest == kept.built.layer.digest:
            shutil.rmtree(root)
            return kept
        return Kept(built, kept.path, _with_libraries(scanned, kept.scanned, root))


def _with_libraries(scanned: Scanned, before: Scanned, root: Path) -> Scanned:
    """Files that did not change were not read again: what is known of them still holds."""
    still = {file: needed for file, needed in before.needs.items() if (root / file).exists()}
    return replace(scanned, needs={**still, **scanned.needs}, offers=scanned.offers | before.offers)


def copy(kept: Kept, place: Path) -> Path:
    """A copy of a layer's content, with times and owners, at a place whose parent is there."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(kept.content), str(place)], check=True)
    return place


def own(path: Path) -> None:
    """Let what runs in the jail write to a file or folder."""
    owner = jail.builder()
    if owner is not None:
        os.chown(path, owner, owner, follow_symlinks=False)
