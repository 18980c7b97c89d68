"""Files made one by one from sources (byte code), kept by what they were made from: path, content, facts."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from buildpacks.plan import Derived
from deployer.build import plain_files
from deployer.build.shelf import own

IN_JAIL = "/cache/derived"
FORGOTTEN_AFTER = 30 * 86400  # seconds without use
TOUCHED_AFTER = 86400  # seconds: no write for each file at each build
Start = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Product:
    """One file to be made: its source and itself, relative to the app, and the name it is kept under."""

    source: str
    path: str
    key: str


def products(step: Derived, app: Path, sources: list[str]) -> list[Product]:
    """What is to be made for these sources, none of which is a link."""
    salt = repr(sorted(step.facts.items())).encode()
    found = []
    for source in sources:
        folder, _, name = source.rpartition("/")
        stem = name.removesuffix(step.suffix)
        key = hashlib.sha256(salt + b"\0" + os.fsencode(source) + b"\0" + (app / source).read_bytes()).hexdigest()
        path = step.product.format(folder=f"{folder}/" if folder else "", stem=stem)
        found.append(Product(source, path, key))
    return found


def put(store: Path, app: Path, wanted: list[Product], start: Start) -> int:
    """Put all products into the app, made by `start` (which gets the pairs) where they are not kept. Returns how many
    were made. An empty file is kept for a source that gives nothing."""
    plain_files.make_folder(store)
    own(store)
    missing = [product for product in wanted if plain_files.read(store / product.key) is None]
    if missing:
        pairs = "".join(f"/app/{product.source}\0{IN_JAIL}/{product.key}\0" for product in missing)
        start(pairs.encode("utf-8", "surrogateescape"))
    now = time.time()
    for product in wanted:
        _put(store / product.key, app / product.path, now)
    return len(missing)


def _put(kept: Path, place: Path, now: float) -> None:
    content = plain_files.read(kept)
    if content is None:
        plain_files.write(kept, b"")
    elif now - kept.stat().st_mtime > TOUCHED_AFTER:
        os.utime(kept)
    if content:
        plain_files.make_folder(place.parent)
        plain_files.write(place, content)


def forget(store: Path) -> None:
    """Drop what no build has used for long."""
    limit = time.time() - FORGOTTEN_AFTER
    for file in store.iterdir() if store.is_dir() and not store.is_symlink() else ():
        if file.lstat().st_mtime < limit:
            file.unlink(missing_ok=True)
