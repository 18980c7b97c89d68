"""What pruning removes, and what it must never touch."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deployer.errors.remote import ConnectionLost
from deployer.host.prune import link_targets, mounted
from deployer.model.manifest import NOTHING, Entry, encode
from deployer.model.slug import Built
from deployer.remote.agent import Session
from deployer.ship.remembered import Remembered
from deployer.ship.ship import ship
from tests.ship.slugs import File, built, expected, layer, tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")

OLD: dict[str, File] = {"app.py": b"version one", "library.py": b"the same", "tool": "/usr/bin/tool", "old": "gone"}
NEW: dict[str, File] = {"app.py": b"version two", "library.py": b"the same", "tool": "/usr/bin/tool"}


def shipped(session: Session, root: Path, name: str, files: dict[str, File]) -> Built:
    slug = built(layer(root / name, "app", files))
    ship([session], "shop", 20007, 1, slug, None, remembered=Remembered(root / "cache"))
    return slug


def prune(session: Session, *keep: Built) -> dict[str, Any]:
    digests = [one.slug.layers[0].digest for one in keep]
    return session.call("prune", {"app": "shop", "token": 1, "keep": digests})


def layers(root: Path) -> set[str]:
    return {path.name for path in (root / "host/apps/shop/layers").iterdir()}


@needs_root
def test_layers_go_with_the_blobs_that_only_they_had(session: Session, tmp_path: Path) -> None:
    shipped(session, tmp_path, "old", OLD)
    new = shipped(session, tmp_path, "new", NEW)
    assert prune(session, new) == {"layers": 1, "blobs": 2, "bytes": len("version one") + len("gone")}
    assert layers(tmp_path) == {new.slug.layers[0].digest}
    assert tree(tmp_path / "host/apps/shop/layers" / new.slug.layers[0].digest) == expected(NEW, 20007)
    assert len([path for path in (tmp_path / "host/apps/shop/blobs").rglob("*") if path.is_file()]) == 3
    assert not (tmp_path / "host/apps/shop/trash").exists()


@needs_root
def test_what_was_pruned_is_sent_again(session: Session, tmp_path: Path) -> None:
    old = shipped(session, tmp_path, "old", OLD)
    new = shipped(session, tmp_path, "new", NEW)
    prune(session, new)
    again = ship([session], "shop", 20007, 1, old, new.slug, remembered=Remembered(tmp_path / "cache"))
    assert again.blobs == 2
    assert tree(tmp_path / "host/apps/shop/layers" / old.slug.layers[0].digest) == expected(OLD, 20007)


@needs_root
def test_pruning_twice_removes_nothing_more(session: Session, tmp_path: Path) -> None:
    new = shipped(session, tmp_path, "new", NEW)
    assert prune(session, new) == prune(session, new) == {"layers": 0, "blobs": 0, "bytes": 0}


@needs_root
def test_a_layer_that_a_dyno_names_stays(session: Session, tmp_path: Path) -> None:
    old, new = shipped(session, tmp_path, "old", OLD), shipped(session, tmp_path, "new", NEW)
    dyno = tmp_path / "host/dynos/shop.web.1.v1"
    dyno.mkdir(parents=True)
    (dyno / "layers").write_text(f"{tmp_path}/host/apps/shop/layers/{old.slug.layers[0].digest}\n")
    assert prune(session, new)["layers"] == 0
    (dyno / "layers").unlink()
    assert prune(session, new)["layers"] == 1


@needs_root
@pytest.mark.edge
def test_a_layer_that_is_mounted_stays(session: Session, tmp_path: Path) -> None:
    old, new = shipped(session, tmp_path, "old", OLD), shipped(session, tmp_path, "new", NEW)
    lower = ":".join(f"{tmp_path}/host/apps/shop/layers/{one.slug.layers[0].digest}" for one in (new, old))
    (tmp_path / "mounted").mkdir()
    subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={lower}", "overlay", tmp_path / "mounted"], check=True)
    try:
        assert prune(session)["layers"] == 0
    finally:
        subprocess.run(["umount", tmp_path / "mounted"], check=True)
    assert prune(session)["layers"] == 2


@needs_root
def test_what_a_killed_agent_left_on_its_way_out_goes(session: Session, tmp_path: Path) -> None:
    new = shipped(session, tmp_path, "new", NEW)
    (tmp_path / "host/apps/shop/trash/half").mkdir(parents=True)
    prune(session, new)
    assert not (tmp_path / "host/apps/shop/trash").exists()


MOUNTS = """\
/dev/vda1 / ext4 rw 0 0
overlay /srv/deployer/scratch/shop.web.1.v2/root overlay rw,lowerdir=/srv/deployer/apps/shop/layers/{a}:/srv/deployer/\
apps/shop/layers/{b},upperdir=/srv/deployer/scratch/shop.web.1.v2/upper 0 0
overlay /x overlay rw,lowerdir=/srv/deployer/apps/blog/layers/{c} 0 0
"""


def test_mounted_layers_are_read_from_the_kernels_table() -> None:
    a, b, c = ("a" * 64, "b" * 64, "c" * 64)
    assert mounted(MOUNTS.format(a=a, b=b, c=c), Path("/srv/deployer/apps/shop/layers")) == {a, b}


def test_targets_of_links_are_read_from_manifests() -> None:
    entries = [Entry("l", "a" * 64, b"app/link"), Entry("f", "b" * 64, b"app/l x"), Entry("d", NOTHING, b"app/l")]
    assert list(link_targets([encode(entries), b""])) == ["a" * 64]


RECEIVING = {"app": "shop", "uid": 20007, "layers": [], "deltas": 1}  # waits for a delta that never comes


def test_pruning_waits_for_the_agent_that_receives(session: Session, tmp_path: Path) -> None:
    second = session.second()
    with session.exchange("receive", {**RECEIVING, "token": 1}):
        until_held(tmp_path / "host/apps/shop/blobs.lock")
        pruned = threading.Thread(target=lambda: prune(second), daemon=True)
        pruned.start()
        pruned.join(0.2)
        assert pruned.is_alive()
    pruned.join(10)
    assert not pruned.is_alive()
    second.close()


def test_a_newer_command_does_not_wait_for_an_older_one_that_receives(session: Session, tmp_path: Path) -> None:
    newer = session.second()
    with session.exchange("receive", {**RECEIVING, "token": 1}) as older:
        until_held(tmp_path / "host/apps/shop/blobs.lock")
        newer.call("prune", {"app": "shop", "token": 2, "keep": []})
        with pytest.raises(ConnectionLost):
            older.receive()
    newer.close()


def until_held(lock: Path) -> None:
    """Until somebody holds the flock."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError), lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        time.sleep(0.01)
    raise TimeoutError(lock)
