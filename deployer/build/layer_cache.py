"""The layers of an app that are finished: kept by what they were made from, read-only from then on.

layers/NAME/KEY/root/app/...   the content; paths in the manifest are relative to `root`
layers/NAME/KEY/manifest       its manifest
layers/NAME/KEY/record.json    what it was made from, its digest, what its ELF files need and offer
layers/NAME/last.json          what the last one was made from, to tell why the next one is made
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.build import keys
from deployer.build.keys import Facts
from deployer.build.scan import Scanned
from deployer.model import manifest
from deployer.model.slug import BuiltLayer, Layer

KEPT = 3  # of each name: the one in use, and those of branches or tries that may come back


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished layer: where it lies below the app, its manifest, its libraries."""

    built: BuiltLayer
    path: str
    scanned: Scanned

    @property
    def content(self) -> Path:
        """The folder that is bound at its path."""
        return self.built.root / "app" / self.path


@dataclass(frozen=True, slots=True)
class LayerCache:
    """The layers of one app."""

    folder: Path

    def find(self, name: str, facts: Facts) -> Kept | None:
        """The layer that was made from exactly this."""
        place = self.folder / name / keys.name_of(facts)
        record = _json(place / "record.json")
        if record is None:
            return None
        os.utime(place)
        self._remember(name, facts)
        return _kept(place, name, record)

    def note(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a note beside the layers of that name."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_json(self.folder / name / "note.json", value)

    def noted(self, name: str) -> Any:
        """The note kept last; None where there is none."""
        return _json(self.folder / name / "note.json")

    def last(self, name: str) -> dict[str, str] | None:
        """What the layer used last was made from."""
        found: dict[str, str] | None = _json(self.folder / name / "last.json")
        return found

    def begin(self, name: str) -> Path:
        """An empty root for a new one; what an unfinished one left is gone."""
        new = self.folder / name / ".new"
        shutil.rmtree(new, ignore_errors=True)
        root = new / "root"
        root.mkdir(parents=True)
        return root

    def finish(self, name: str, path: str, facts: Facts, scanned: Scanned) -> Kept:
        """Keep what was made in the root that `begin` gave."""
        new = self.folder / name / ".new"
        encoded = scanned.encoded
        (new / "manifest").write_bytes(encoded)
        record = {
            "path": path,
            "facts": facts,
            "digest": manifest.digest(encoded),
            "size": scanned.size,
            "files": len(scanned.entries),
            "needs": scanned.needs,
            "offers": sorted(scanned.offers),
        }
        (new / "record.json").write_text(json.dumps(record))
        place = self.folder / name / keys.name_of(facts)
        shutil.rmtree(place, ignore_errors=True)
        new.rename(place)
        self._remember(name, facts)
        self._prune(name)
        return _kept(place, name, record)

    def _remember(self, name: str, facts: Facts) -> None:
        write_json(self.folder / name / "last.json", facts)

    def _prune(self, name: str) -> None:
        places = [place for place in (self.folder / name).iterdir() if place.is_dir() and place.name != ".new"]
        for place in sorted(places, key=lambda place: -place.stat().st_mtime)[KEPT:]:
            shutil.rmtree(place, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file as a whole: whoever reads it sees the old one or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(value))
    aside.rename(path)


def as_built(name: str, root: Path, scanned: Scanned) -> BuiltLayer:
    """A layer out of what lies below `root` now."""
    encoded = scanned.encoded
    layer = Layer(name, manifest.digest(encoded), scanned.size, len(scanned.entries))
    return BuiltLayer(layer, encoded, root)


def _kept(place: Path, name: str, record: Mapping[str, Any]) -> Kept:
    layer = Layer(_short(name), record["digest"], record["size"], record["files"])
    scanned = Scanned(size=record["size"], needs=record["needs"], offers=set(record["offers"]))
    return Kept(BuiltLayer(layer, (place / "manifest").read_bytes(), place / "root"), record["path"], scanned)


def _short(name: str) -> str:
    """`dependencies` for `python-dependencies`."""
    return name.partition("-")[2] or name


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
