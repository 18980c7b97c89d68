"""From a folder to a manifest."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from deployer.build.scan import Scope, scan, unchanged_since
from deployer.model.manifest import NOTHING, Entry, decode


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "app/empty").mkdir(parents=True)
    (folder / "app/full").mkdir()
    (folder / "app/full/file").write_text("text")
    (folder / "app/run").write_text("run")
    (folder / "app/run").chmod(0o750)
    (folder / "app/link").symlink_to("full/file")
    return folder


def test_files_links_and_empty_folders_are_recorded(root: Path) -> None:
    found = scan(Scope(root, "amd64"))
    assert decode(found.encoded) == [
        Entry("d", NOTHING, b"app/empty"),
        Entry("f", sha("text"), b"app/full/file"),
        Entry("l", sha("full/file"), b"app/link"),
        Entry("x", sha("run"), b"app/run"),
    ]
    assert found.size == 7


def test_the_umask_and_the_time_of_a_file_do_not_count(root: Path) -> None:
    before = scan(Scope(root, "amd64")).encoded
    os.utime(root / "app/run", (1, 1))
    (root / "app/full/file").chmod(0o600)
    (root / "app/run").chmod(0o700)
    assert scan(Scope(root, "amd64")).encoded == before


def test_what_is_hidden_is_left_out_and_its_folder_is_not_empty(root: Path) -> None:
    found = scan(Scope(root, "amd64", frozenset({b"app/full/file", b"app/run"})))
    assert [entry.path for entry in found.entries] == [b"app/empty", b"app/link"]


def test_names_of_any_bytes_survive(root: Path) -> None:
    name = b"app/new\nline \xff"
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_text("x")
    assert name in [entry.path for entry in decode(scan(Scope(root, "amd64")).encoded)]


def test_pipes_and_sockets_are_no_content(root: Path) -> None:
    os.mkfifo(root / "app/pipe")
    assert b"app/pipe" not in [entry.path for entry in scan(Scope(root, "amd64")).entries]


def test_large_and_empty_files_have_their_digest(root: Path) -> None:
    (root / "app/big").write_bytes(b"x" * (3 << 20))
    (root / "app/none").write_bytes(b"")
    found = {entry.path: entry.digest for entry in scan(Scope(root, "amd64")).entries}
    assert found[b"app/big"] == hashlib.sha256(b"x" * (3 << 20)).hexdigest()
    assert found[b"app/none"] == NOTHING


def test_an_unchanged_copy_is_not_read_again(root: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", str(root), str(tmp_path / "copy")], check=True)
    told = dict.fromkeys((b"app/full/file", b"app/run"), "0" * 64)
    (tmp_path / "copy/app/run").write_text("new")
    found = scan(Scope(tmp_path / "copy", "amd64", known=unchanged_since(root, told)))
    digests = {entry.path: entry.digest for entry in found.entries}
    assert digests[b"app/full/file"] == "0" * 64
    assert digests[b"app/run"] == sha("new")
