"""Layers as objects of a store: what a laptop writes a host makes stand; all else it refuses, and keeps nothing."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.errors.base import HostFailure
from deployer.host.aws import Unanswered
from deployer.host.fetch import Opened, Reader, fetch_layers
from deployer.host.paths import AppPaths, Paths
from deployer.model.blob_header import HEADER
from deployer.model.layer_archive import SIZE, Header, decode
from deployer.model.manifest import Entry, digest, encode
from deployer.model.slug import BuiltLayer
from deployer.ship.archive import write
from tests.ship.slugs import File, expected, layer, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")
UID = 20007
SMALL: dict[str, File] = {
    "web.sh": b"#!/bin/sh\n",
    "lib/a": b"a",
    "lib/b": b"a",
    "link": "lib/a",
    "empty": None,
    "e": b"",
}
LARGE: dict[str, File] = {f"lib/{n}": os.urandom(700) * 300 for n in range(12)}


def archive(built: BuiltLayer) -> bytes:
    file = io.BytesIO()
    assert write(built, file) == len(file.getvalue())
    return file.getvalue()


def stored(objects: dict[str, bytes], reading: Callable[[bytes], Reader] = io.BytesIO) -> Opened:
    """A store that holds these layers."""

    @contextmanager
    def opened(key: str) -> Iterator[Reader | None]:
        found = objects.get(key)
        yield None if found is None else reading(found)

    return opened


def app_of(tmp_path: Path) -> AppPaths:
    app = Paths(root=tmp_path / "host").app("shop")
    app.root.mkdir(parents=True)
    return app


def nothing_stands(app: AppPaths) -> bool:
    return not any((app.root / name).exists() for name in ("layers", "manifests", "blobs", "incoming"))


@pytest.mark.parametrize("files", [SMALL, LARGE, {}], ids=["small", "large", "empty"])
def test_what_is_written_stands_as_it_was(tmp_path: Path, files: dict[str, File]) -> None:
    built, app = layer(tmp_path / "built", "app", files), app_of(tmp_path)
    store = stored({f"layers/{built.layer.digest}": archive(built)})
    told = fetch_layers(app, UID, [built.layer.digest] * 2, store)
    assert tree(app.layers / built.layer.digest) == expected(files, UID)
    assert (app.manifests / built.layer.digest).read_bytes() == built.manifest
    assert (told["blobs"] > 0) == bool(files)
    assert fetch_layers(app, UID, [built.layer.digest], stored({})) == {"bytes": 0, "blobs": 0}, "it stands already"


def test_only_a_long_one_needs_zstd(tmp_path: Path) -> None:
    kinds = [
        decode(archive(layer(tmp_path / str(i), "app", one))[:SIZE]).stream for i, one in enumerate((SMALL, LARGE))
    ]
    assert kinds == ["zlib", "zstd"]


@settings(max_examples=30)
@given(
    st.dictionaries(st.from_regex(r"[a-c](/[a-c]){0,2}\.(sh|x)", fullmatch=True), st.binary(max_size=40), max_size=5)
)
def test_any_files_come_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, File]) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    built, app = layer(tmp_path / "built", "app", files), app_of(tmp_path)
    fetch_layers(app, UID, [built.layer.digest], stored({f"layers/{built.layer.digest}": archive(built)}))
    assert tree(app.layers / built.layer.digest) == expected(files, UID)


def test_a_layer_that_is_not_in_the_store_is_named(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    with pytest.raises(HostFailure) as failure:
        fetch_layers(app, UID, ["0a" * 32], stored({}))
    assert failure.value.code == "layer-missing"
    assert nothing_stands(app)


CONTENT = b"content"
SHA = hashlib.sha256(CONTENT).hexdigest()
GOOD = encode([Entry("f", SHA, b"app/a")])
STREAM = zlib.compress(struct.pack(HEADER, bytes.fromhex(SHA), False, len(CONTENT)) + CONTENT)
OTHER = zlib.compress(struct.pack(HEADER, bytes.fromhex(SHA), False, len(CONTENT)) + b"changed")


def made(manifest: bytes = GOOD, stream: bytes = STREAM, kind: str = "zlib") -> bytes:
    packed = zlib.compress(manifest)
    return Header(kind, len(packed), len(CONTENT), 1).encode() + packed + stream


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad-manifest"),
        (b"<html>a portal", "bad-manifest"),
        (made()[: SIZE + 5], "bad-manifest"),
        (made(encode([Entry("f", SHA, b"app/b")])), "bad-manifest"),
        (made(kind="lzma"), "bad-manifest"),
        (Header("zlib", 1 << 40, 0, 0).encode(), "bad-manifest"),
        (made(stream=OTHER), "bad-blob"),
        (made(stream=STREAM[:-8]), "bad-blob"),
        (made(stream=b""), "bad-blob"),
        (made(stream=b"nonsense"), "bad-blob"),
        (made(stream=b"nonsense", kind="zstd"), "bad-blob"),
    ],
)
def test_what_is_not_that_layer_is_refused(tmp_path: Path, body: bytes, code: str) -> None:
    app = app_of(tmp_path)
    with pytest.raises(HostFailure) as failure:
        fetch_layers(app, UID, [digest(GOOD)], stored({f"layers/{digest(GOOD)}": body}))
    assert failure.value.code == code
    assert nothing_stands(app)
    fetch_layers(app, UID, [digest(GOOD)], stored({f"layers/{digest(GOOD)}": made()}))
    assert (app.layers / digest(GOOD) / "app/a").read_bytes() == CONTENT


def test_an_archive_cannot_write_outside_its_layer(tmp_path: Path) -> None:
    evil = encode([Entry("f", SHA, b"app/../../etc/cron.d/evil")])
    app = app_of(tmp_path)
    with pytest.raises(HostFailure):
        fetch_layers(app, UID, [digest(evil)], stored({f"layers/{digest(evil)}": made(evil)}))
    assert nothing_stands(app)


class Cut(io.BytesIO):
    """A connection that is lost before its last bytes."""

    def read(self, most: int | None = -1, /) -> bytes:
        if self.tell() > len(self.getvalue()) - 600:
            raise TimeoutError("timed out")
        return super().read(min(most or 0, 500))


@pytest.mark.parametrize("size", [2000, 600_000], ids=["zlib", "zstd"])
def test_a_connection_that_is_lost_is_no_bad_layer(tmp_path: Path, size: int) -> None:
    built, app = layer(tmp_path / "built", "app", {"a": os.urandom(size)}), app_of(tmp_path)
    key = f"layers/{built.layer.digest}"
    with pytest.raises(Unanswered, match="timed out"):
        fetch_layers(app, UID, [built.layer.digest], stored({key: archive(built)}, Cut))
    assert nothing_stands(app)
