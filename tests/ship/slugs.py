"""Slugs made of files that a test names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from deployer.model.manifest import NOTHING, Entry, digest, encode
from deployer.model.slug import Built, BuiltLayer, Layer, Slug

File = (
    bytes | str | None
)  # bytes: a file, executable where its name ends in .sh; a text: a link's target; None: a folder


def layer(root: Path, name: str, files: Mapping[str, File]) -> BuiltLayer:
    """A layer of these files below `root`, which it makes; paths get `app/` before them."""
    entries = [_entry(root, os.fsencode(f"app/{path}"), content) for path, content in files.items()]
    manifest = encode(entries)
    size = sum(len(content) for content in files.values() if isinstance(content, bytes))
    return BuiltLayer(Layer(name, digest(manifest), size, len(entries)), manifest, root)


def built(*layers: BuiltLayer) -> Built:
    """A slug of these layers."""
    named = tuple(layer.layer for layer in layers)
    slug = Slug("debian-13-amd64", named, {"web": "./web.sh"}, ("python",), sum(layer.size for layer in named))
    return Built(slug, layers)


def tree(folder: Path) -> dict[str, tuple[str, bytes | str, int]]:
    """What lies below a folder: kind, content and owner by path; folders only where they are empty."""
    found: dict[str, tuple[str, bytes | str, int]] = {}
    for path in sorted(folder.rglob("*")):
        name, owner = str(path.relative_to(folder)), path.lstat().st_uid
        if path.is_symlink():
            found[name] = ("l", str(path.readlink()), owner)
        elif path.is_file():
            found[name] = ("x" if path.stat().st_mode & 0o777 == 0o755 else "f", path.read_bytes(), owner)
        elif not any(path.iterdir()):
            found[name] = ("d", "", owner)
    return found


def expected(files: Mapping[str, File], uid: int) -> dict[str, tuple[str, bytes | str, int]]:
    """The tree that these files should make on a host."""
    return {f"app/{path}": (*_kind(path, content), uid) for path, content in files.items()}


def _kind(path: str, content: File) -> tuple[str, bytes | str]:
    if content is None:
        return "d", ""
    if isinstance(content, str):
        return "l", content
    return ("x" if path.endswith(".sh") else "f"), content


def _entry(root: Path, path: bytes, content: File) -> Entry:
    place = root / os.fsdecode(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        place.mkdir()
        return Entry("d", NOTHING, path)
    if isinstance(content, str):
        place.symlink_to(content)
        return Entry("l", hashlib.sha256(content.encode()).hexdigest(), path)
    place.write_bytes(content)
    kind = "x" if path.endswith(b".sh") else "f"
    return Entry(kind, hashlib.sha256(content).hexdigest(), path)
