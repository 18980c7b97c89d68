"""What an agent refuses: manifests, blobs and streams that no build of ours makes."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deployer.errors.base import Failure
from deployer.errors.host import HostDiskFull, ShipmentRefused
from deployer.model.blob_header import HEADER
from deployer.model.manifest import NOTHING, Entry, digest, encode
from deployer.remote.agent import Session
from deployer.ship.remembered import Remembered
from deployer.ship.ship import ship
from tests.remote.agents_here import session_here
from tests.ship.slugs import File, built, layer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")

SHA = hashlib.sha256(b"content").hexdigest()


def sent(session: Session, manifest: bytes, stream: bytes = b"", name: str | None = None) -> dict[str, Any]:
    """The result of sending a manifest under its digest, or `name`, and a stream."""
    request = {"app": "shop", "token": 1, "uid": 20007, "layers": [{"digest": name or digest(manifest)}], "deltas": 0}
    with session.exchange("receive", request) as exchange:
        while "result" not in (message := exchange.receive()[0]):
            if message["event"] == "manifests":
                exchange.send({"manifest": message["digests"][0]}, zlib.compress(manifest))
            elif message["event"] == "blobs":
                exchange.send({"stream": "zlib", "raw": len(stream), "blobs": 1})
                exchange.send({"chunk": True}, zlib.compress(stream))
                exchange.send({"end": True})
        result: dict[str, Any] = message["result"]
        return result


def record(kind: str, path: str, sha: str = SHA) -> bytes:
    return encode([Entry(kind, sha, path.encode())])


def blob(content: bytes, sha: str = SHA, length: int | None = None) -> bytes:
    return struct.pack(HEADER, bytes.fromhex(sha), False, len(content) if length is None else length) + content


def nothing_stands(root: Path) -> bool:
    app = root / "apps/shop"
    return not any((app / name).exists() for name in ("layers", "manifests", "blobs", "incoming"))


@pytest.mark.parametrize(
    "manifest",
    [
        record("f", "app/../../etc/cron.d/evil"),
        record("f", "/etc/passwd"),
        record("f", "etc/passwd"),
        record("f", "app"),
        record("f", "app/"),
        record("s", "app/setuid"),
        record("c", "app/device"),
        record("l", "app/link") + record("f", "app/link/below"),
        record("f", "app/a", sha="../" * 21 + "a"),
        record("f", "app/b") + record("f", "app/a"),
        record("f", "app/a") * 2,
        record("f", "app/a")[:-1],
    ],
)
def test_a_manifest_that_could_do_harm_is_refused(session: Session, tmp_path: Path, manifest: bytes) -> None:
    with pytest.raises(ShipmentRefused):
        sent(session, manifest, blob(b"content"))
    assert nothing_stands(tmp_path / "host")


def test_a_manifest_under_another_layers_name_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ShipmentRefused):
        sent(session, record("f", "app/a"), blob(b"content"), name=SHA)
    assert nothing_stands(tmp_path / "host")


def test_a_layers_name_that_is_a_path_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is no digest"):
        sent(session, b"", name="../../../etc")
    assert nothing_stands(tmp_path / "host")


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (blob(b"another"), "a file changed while it was sent"),
        (blob(b"content", length=8), "cut off"),
        (blob(b"content")[:20], "cut off"),
        (b"", "never came"),
        (blob(b"x", sha=hashlib.sha256(b"x").hexdigest()), "never came"),
    ],
)
def test_a_stream_that_is_not_what_was_announced_is_refused(
    session: Session, tmp_path: Path, stream: bytes, reason: str
) -> None:
    with pytest.raises(ShipmentRefused, match=reason):
        sent(session, record("f", "app/a"), stream)
    assert nothing_stands(tmp_path / "host")
    assert sent(session, record("f", "app/a"), blob(b"content"))["blobs"] == 1


def test_blobs_that_nobody_asked_for_are_passed_over(session: Session, tmp_path: Path) -> None:
    unasked = blob(b"unasked" * 1000, sha=hashlib.sha256(b"unasked" * 1000).hexdigest())
    sent(session, record("f", "app/a"), unasked + blob(b"content") + unasked)
    assert len([path for path in (tmp_path / "host/apps/shop/blobs").rglob("*") if path.is_file()]) == 1


def test_an_empty_layer_is_a_layer(session: Session, tmp_path: Path) -> None:
    assert sent(session, b"") == {"bytes": 0, "blobs": 0}
    assert list((tmp_path / "host/apps/shop/layers" / NOTHING).iterdir()) == []


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.edge
@pytest.mark.parametrize("options", ["size=80m", "size=200m,nr_inodes=150"])
def test_a_full_disk_is_told_with_numbers_and_what_came_is_gone(tmp_path: Path, agents: Path, options: str) -> None:
    files: dict[str, File] = {f"file{n}": os.urandom(100_000) for n in range(200)}
    slug = built(layer(tmp_path / "a", "app", files))
    with small_disk(tmp_path / "host", options) as root, session_here(root, agents) as session:
        with pytest.raises(HostDiskFull) as caught:
            ship([session], "shop", 20007, 1, slug, None, remembered=Remembered(tmp_path / "cache"))
        assert caught.value.needed == 200 * (100_000 + 4096)
        assert nothing_stands(root)
        assert sent(session, record("f", "app/a"), blob(b"content"))["blobs"] == 1


@pytest.mark.edge
def test_at_the_limit_of_links_a_blob_is_copied(session: Session, tmp_path: Path) -> None:
    sent(session, record("f", "app/a"), blob(b"content"))
    place = tmp_path / "host/apps/shop/blobs" / SHA[:2] / SHA[2:]
    (tmp_path / "links").mkdir()
    try:
        for number in range(70_000):
            os.link(place, tmp_path / f"links/{number}")
    except OSError:
        pass
    else:
        pytest.skip("this file system has no limit of links")
    second = record("f", "app/b")
    sent(session, second)
    linked = tmp_path / "host/apps/shop/layers" / digest(second) / "app/b"
    assert linked.read_bytes() == b"content"
    assert (linked.stat().st_nlink, linked.stat().st_uid, linked.stat().st_mode & 0o777) == (2, 20007, 0o644)
    assert linked.samefile(place)
