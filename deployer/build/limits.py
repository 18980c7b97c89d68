"""How large a slug may be: Heroku's limits, which count compressed bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deployer.errors.build import SlugTooLarge
from deployer.model import manifest
from deployer.model.events import Tell, Warn
from deployer.model.slug import HARD_LIMIT, SOFT_LIMIT, BuiltLayer

SHOWN = 8  # folders of a message
CHUNK = 1 << 20  # bytes


def check(layers: Sequence[BuiltLayer], tell: Tell, *, soft: int = SOFT_LIMIT, hard: int = HARD_LIMIT) -> None:
    """Raises SlugTooLarge above the hard limit, warns above the soft one. Compresses only what could be too large."""
    if sum(layer.layer.size for layer in layers) <= soft:
        return
    size = sum(_compressed(layer) for layer in layers)
    if size > hard:
        raise SlugTooLarge(f"{size / (1 << 20):.1f}M", f"{hard >> 20}M", "\n".join(largest(layers)))
    if size > soft:
        over = f"({size >> 20} MB) exceeds our soft limit ({soft >> 20} MB)"
        tell(Warn(f"Warning: Your slug size {over} which may affect boot time."))


def largest(layers: Sequence[BuiltLayer]) -> list[str]:
    """The largest folders, up to four levels deep, with their size."""
    sizes: dict[str, int] = {}
    for layer in layers:
        for path in _files(layer):
            folder = "/".join(path.relative_to(layer.root / "app").parts[:-1][:5]) or "."
            sizes[folder] = sizes.get(folder, 0) + path.lstat().st_size
    biggest = sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]
    return [f"{size / (1 << 20):8.1f} MB  {folder}" for folder, size in biggest]


def _files(layer: BuiltLayer) -> list[Path]:
    root = str(layer.root).encode()
    entries = manifest.decode(layer.manifest)
    return [
        Path((root + b"/" + entry.path).decode("utf-8", "surrogateescape")) for entry in entries if entry.kind in "fx"
    ]


def _compressed(layer: BuiltLayer) -> int:
    """Bytes of all files as one stream at the level that shipping uses."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=3, threads=-1).compressobj()
    size = 0
    for path in _files(layer):
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                size += len(compressor.compress(chunk))
    return size + len(compressor.flush())
