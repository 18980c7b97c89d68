"""The agent's `prune` call: layers that no release needs any more, and the blobs that only they had."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deployer.host import task
from deployer.host.channel import Channel
from deployer.host.layers import DIGEST, checked_digest, locked, remove_tree
from deployer.host.paths import AppPaths, Paths


def prune(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Remove layers but `keep`, those that dynos name and those mounted: `{layers, blobs, bytes}` that went."""
    app = channel.paths.app(request["app"])
    task.sweep(channel.paths, request["app"])
    keep = {checked_digest(digest) for digest in request["keep"]}
    keep |= named_by_dynos(channel.paths) | mounted(Path("/proc/mounts").read_text(), app.layers)
    with locked(app):
        remove_tree(app.trash)
        gone = _remove_layers(app, keep)
        blobs, size = _remove_blobs(app) if gone else (0, 0)
        return {"layers": gone, "blobs": blobs, "bytes": size}


def named_by_dynos(paths: Paths) -> set[str]:
    """The digests in the `layers` files of all dynos, running or about to."""
    files = paths.dynos.glob("*/layers")
    return {digest for file in files for digest in DIGEST.findall(_text(file))}


def mounted(mounts: str, layers: Path) -> set[str]:
    """The digests of the layers below `layers` that overlays of /proc/mounts have as lower directories."""
    return set(re.findall(rf"{re.escape(str(layers))}/({DIGEST.pattern})", mounts))


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""  # its dyno has just gone


def _remove_layers(app: AppPaths, keep: set[str]) -> int:
    """Rename first: a layer is there whole, or not at all."""
    there = {layer.name for layer in _entries(app.layers)}
    for digest in sorted(there - keep):
        app.trash.mkdir(exist_ok=True)
        (app.layers / digest).rename(app.trash / digest)
    for manifest in {manifest.name for manifest in _entries(app.manifests)} - (there & keep):
        (app.manifests / manifest).unlink()
    remove_tree(app.trash)
    return len(there - keep)


def _remove_blobs(app: AppPaths) -> tuple[int, int]:
    """Remove the blobs that no layer links to; how many, and their bytes. Targets of symbolic links are blobs that
    nothing can link to: those that a manifest names stay."""
    targets = set(link_targets(manifest.read_bytes() for manifest in _manifest_paths(app)))
    count = size = 0
    for folder in _entries(app.blobs):
        for blob in _entries(Path(folder.path)):
            stat = blob.stat(follow_symlinks=False)
            if stat.st_nlink == 1 and folder.name + blob.name not in targets:
                Path(blob.path).unlink()
                count, size = count + 1, size + stat.st_size
    return count, size


def link_targets(manifests: Iterable[bytes]) -> Iterator[str]:
    """The digests of all symbolic links' targets."""
    for manifest in manifests:
        for record in manifest.split(b"\0"):
            if record.startswith(b"l "):
                yield record[2:66].decode()


def _manifest_paths(app: AppPaths) -> list[Path]:
    return [Path(entry.path) for entry in _entries(app.manifests)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    return list(os.scandir(folder)) if folder.is_dir() else []
