"""Another Python than the platform's: uv fetches it, from a server on loopback, and it travels as a layer."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import buildpacks.python
from buildpacks.plan import BuildPlan, Target
from buildpacks.tree import Tree
from deployer.build import image_facts, platform_image
from deployer.build.jail import Jail
from deployer.build.layer_cache import LayerCache
from deployer.build.shelf import Shelf, own
from deployer.build.workshop import Workshop
from deployer.errors.build import StepFailed
from deployer.model.platforms import parse
from tests.build.conftest import Told

pytestmark = pytest.mark.edge

UNAME = {"amd64": "x86_64", "arm64": "aarch64"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Nothing: a test's output is its own."""


@pytest.fixture(scope="module")
def image() -> Path:
    return platform_image.ensure(parse("debian-13"), "build", print)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory, image: Path) -> Iterator[Path]:
    """What a server on loopback gives away: an archive made of the platform's own Python, and its catalogue."""
    folder = tmp_path_factory.mktemp("mirror")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    archive(image, folder / "python.tar.gz")
    digest = hashlib.sha256((folder / "python.tar.gz").read_bytes()).hexdigest()
    catalogue(image, folder / "pythons.json", f"http://127.0.0.1:{server.server_port}", digest)
    catalogue(image, folder / "forged.json", f"http://127.0.0.1:{server.server_port}", "0" * 64)
    (folder / "address").write_text(f"http://127.0.0.1:{server.server_port}")
    yield folder
    server.shutdown()
    server.server_close()


def archive(image: Path, place: Path) -> None:
    with tarfile.open(place, "w:gz", compresslevel=1) as tar:
        tar.add(image / "usr/bin/python3.13", "python/bin/python3.13")
        for name in ("python", "python3"):
            link = tarfile.TarInfo(f"python/bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "python3.13"
            tar.addfile(link)
        tar.add(image / "usr/lib/python3.13", "python/lib/python3.13", filter=small)


def small(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    left_out = ("__pycache__", "/test/", "/config-3", "/idlelib/", "/pydoc_data/")
    return None if member.name.endswith("sitecustomize.py") or any(part in member.name for part in left_out) else member


def catalogue(image: Path, place: Path, address: str, digest: str) -> None:
    major, minor, patch = map(int, version(image).split("."))
    machine = UNAME[parse("debian-13").architecture]
    about = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": f"{address}/python.tar.gz",
        "sha256": digest,
        "variant": None,
        "build": "20260101",
    }
    place.write_text(json.dumps({f"cpython-{version(image)}-linux-{machine}-gnu": about}))


def version(image: Path) -> str:
    return image_facts.of_image(image, image.parent.parent / "images").python


@pytest.fixture
def shop(tmp_path: Path, image: Path, told: Told) -> Workshop:
    for name in ("app", "cache"):
        (tmp_path / name).mkdir()
        own(tmp_path / name)
    (tmp_path / "app/requirements.txt").write_text("")
    (tmp_path / "app/.python-version").write_text(version(image))
    shelf = Shelf(tmp_path, parse("debian-13").architecture)
    return Workshop(shelf, Jail(image, tmp_path / "app", tmp_path / "cache"), LayerCache(tmp_path / "layers"), {}, told)


def plan(shop: Workshop) -> BuildPlan:
    """The plan for a platform with an older Python, so that the version asked for is not its own."""
    target = Target(platform=str(parse("debian-13")), python="3.13.0", uv="1")
    return buildpacks.python.plan(Tree.of_folder(shop.shelf.app), target)


def test_the_version_asked_for_is_fetched_and_shipped_as_a_layer(
    shop: Workshop, mirror: Path, image: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", f"{(mirror / 'address').read_text()}/pythons.json")
    shop.follow(plan(shop))
    runtime, dependencies = shop.shelf.shipped()
    assert (runtime.path, dependencies.path) == (".heroku/runtime", ".heroku/python")
    python = dependencies.content / "bin/python"
    assert str(python.readlink()).startswith("/app/.heroku/runtime/cpython-3.13")
    installed = runtime.built.root / str(python.readlink()).lstrip("/")
    assert installed.is_file()
    assert list((installed.parent.parent / "lib").rglob("__pycache__/*.pyc"))
    assert f"-----> Installing Python {version(image)}" in told.text


def test_the_next_build_fetches_nothing(
    shop: Workshop, mirror: Path, image: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", f"{(mirror / 'address').read_text()}/pythons.json")
    shop.follow(plan(shop))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", f"{(mirror / 'address').read_text()}/none.json")
    shop.shelf.laid.clear()
    shop.follow(plan(shop))
    assert f"-----> Using cached install of Python {version(image)}" in told.text


def test_a_forged_archive_is_refused(shop: Workshop, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", f"{(mirror / 'address').read_text()}/forged.json")
    with pytest.raises(StepFailed) as failed:
        shop.follow(plan(shop))
    assert "the platform's own Python" in failed.value.remedy
    assert not shop.shelf.laid
