"""What travels to a host that builds, and back."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from deployer.build import elsewhere
from deployer.build.builder import fill, told
from deployer.build.tools import uv_version
from deployer.errors.build import JailUnavailable, StepFailed
from tests.ship.slugs import tree


def test_a_source_arrives_as_it_is(tmp_path: Path) -> None:
    source, shelf, there = tmp_path / "source", tmp_path / "shelf", tmp_path / "there"
    for folder in (source / "bin", source / "empty", shelf, there):
        folder.mkdir(parents=True)
    (source / "a b\nc").write_bytes(b"\xff")
    (source / "bin/run").write_text("#!/bin/sh\n")
    (source / "bin/run").chmod(0o755)
    (source / "again").write_text("#!/bin/sh\n")
    (source / "link").symlink_to("bin/run")
    entries, files = elsewhere.entries_below(source)
    assert len(files) == 2, "what is there twice travels once"
    with tarfile.open(fileobj=io.BytesIO(elsewhere.packed(files, list(files)))) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            (shelf / member.name).write_bytes(content.read())
    fill(there, shelf, entries)
    assert tree(there) == tree(source)


def test_a_failure_keeps_its_words() -> None:
    failed = StepFailed("Python", "uv pip install", 2, "advice")
    assert str(elsewhere.failure(told(failed))) == str(failed)
    assert isinstance(elsewhere.failure(told(JailUnavailable("reason", "fix"))), JailUnavailable)
    with pytest.raises(ValueError, match="os"):
        elsewhere.failure({"module": "os", "name": "system", "facts": {}})


def test_the_builder_needs_nothing_but_python(tmp_path: Path) -> None:
    for name, content in elsewhere.builder().files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import deployer.build.builder as builder; "
        "from buildpacks import catalog; from deployer.build.tools import uv_version; "
        "[catalog.load(name) for name in catalog.NAMES]; print(builder.__file__, uv_version())"
    )
    done = subprocess.run(["/usr/bin/python3", "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path / "deployer/build/builder.py"), uv_version()]
