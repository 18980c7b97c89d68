"""A power cut right behind a receive: what stands under a layer's name is whole, and the rest can be sent again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployer.ship.remembered import Remembered
from deployer.ship.ship import ship
from tests.remote.agents_here import session_here
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = [
    pytest.mark.edge,
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="needs root, loop devices"),
]
UID = 20007


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """An ext4 image, its journal replayed where it was cut off."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def disk(image: Path) -> Path:
    """An empty ext4 file system of 160 MiB."""
    with image.open("wb") as file:
        file.truncate(160 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    return image


def commit_names(root: Path) -> None:
    """Have the journal written, as the file system does every five seconds: names so far are on the disk then, and
    contents that nobody synced are not."""
    descriptor = os.open(root / "another", os.O_CREAT | os.O_WRONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cut(image: Path, copy: Path) -> Path:
    """What the disk below a mounted file system has at this moment: no more than a power cut would leave. Copied until
    nothing was written meanwhile."""
    while True:
        before = image.stat().st_mtime_ns
        shutil.copyfile(image, copy)
        if image.stat().st_mtime_ns == before:
            return copy


def test_a_layer_that_stands_after_a_power_cut_is_whole(tmp_path: Path, agents: Path) -> None:
    files: dict[str, File] = {f"file{n}": os.urandom(20_000) for n in range(200)}
    slug = built(layer(tmp_path / "a", "app", files))
    image = disk(tmp_path / "image")
    with mounted(image, tmp_path / "host") as root, session_here(root, agents) as session:
        ship([session], "shop", UID, 1, slug, None, remembered=Remembered(tmp_path / "cache"))
        commit_names(root)
        copy = cut(image, tmp_path / "copy")
    with mounted(copy, tmp_path / "after") as root:
        app = root / "apps/shop"
        (digest,) = (path.name for path in (app / "layers").iterdir())
        assert digest == slug.slug.layers[0].digest
        assert tree(app / "layers" / digest) == expected(files, UID)
        assert all(is_whole(path) for path in (app / "blobs").glob("??/*"))


def test_what_a_power_cut_left_of_a_receive_is_sent_again(tmp_path: Path, agents: Path) -> None:
    files: dict[str, File] = {f"file{n}": os.urandom(20_000) for n in range(200)}
    slug = built(layer(tmp_path / "a", "app", files))
    image = disk(tmp_path / "image")
    with mounted(image, tmp_path / "host") as root, session_here(root, agents) as session:
        ship([session], "shop", UID, 1, slug, None, remembered=Remembered(tmp_path / "cache"))
        copy = cut(image, tmp_path / "copy")  # names may not be there yet, and some of them are
    with mounted(copy, tmp_path / "after") as root, session_here(root, agents) as session:
        ship([session], "shop", UID, 2, slug, None, remembered=Remembered(tmp_path / "cache"))
        assert tree(root / "apps/shop/layers" / slug.slug.layers[0].digest) == expected(files, UID)


def is_whole(blob: Path) -> bool:
    """Whether a blob is what its name says."""
    return hashlib.sha256(blob.read_bytes()).hexdigest() == (blob.parent.name + blob.name)[:64]
