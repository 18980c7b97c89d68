"""Builds on a host of the space: the same slug as from here, and users who hardly notice."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deployer.build import elsewhere, platform_image
from deployer.model.platforms import parse
from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.conftest import ignore
from tests.hosts.person import Person
from tests.hosts.rented import on

pytestmark = pytest.mark.hosts

SERVER = """\
import os, hello
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = hello.WORD.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer(("", int(os.environ["PORT"])), Answer).serve_forever()
"""
LOCKED = "hello==1.0\n"
BURN = """\
python3 - <<'END'
import multiprocessing, os, time
def burn():
    end = time.monotonic() + 12
    while time.monotonic() < end: pass
if __name__ == "__main__":
    print("uid", os.getuid())
    [p.start() for p in [multiprocessing.Process(target=burn) for _ in range(8)]]
END
"""


@pytest.fixture
def builds(space: Pointer, sandbox: Sandbox) -> Iterator[Sandbox]:
    """A host that can build: a sandbox's has no way to packages, so bubblewrap and the platform's root come with it."""
    image = platform_image.ensure(parse(sandbox.record.platform), "build", ignore)
    srv = sandbox.folder / "hosts" / sandbox.hosts[0].id / "srv/deployer/builds/platforms"
    srv.mkdir(parents=True, exist_ok=True)
    upper = sandbox.folder / "hosts" / sandbox.hosts[0].id
    try:
        subprocess.run(["cp", "-a", "--link", image, srv / image.name], check=True)
        (upper / "srv/bwrap").write_bytes(Path("/usr/bin/bwrap").read_bytes())
        on(sandbox, "install -m 755 /srv/bwrap /usr/local/bin/bwrap")
        yield sandbox
    finally:
        on(sandbox, "rm -rf /srv/deployer/builds /srv/bwrap /usr/local/bin/bwrap")


@pytest.fixture
def index(builds: Sandbox, tmp_path: Path) -> Iterator[str]:
    """A package index on the sandbox's bridge, which its hosts reach; its address. An app with hooks gets pip, too."""
    for name in ("hello", "pip"):
        write_wheel(tmp_path / "index/simple" / name, name)
    handler = functools.partial(Quiet, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer((builds.record.gateway, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://{builds.record.gateway}:{server.server_port}/simple"
        on(builds, f"printf '[global]\\nindex-url = {url}\\ntrusted-host = {builds.record.gateway}\\n' > /etc/pip.conf")
        try:
            yield url
        finally:
            on(builds, "rm -f /etc/pip.conf")
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing about requests."""

    def log_message(self, *about: object) -> None:
        """Nothing."""


def write_wheel(folder: Path, name: str) -> None:
    """A package of one module with a word."""
    wheel, info = f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "WORD = 'hello from a wheel'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
    with zipfile.ZipFile(folder / wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)


def with_app(builds: Sandbox, folder: Path, index: str) -> Person:
    """A person with an app that needs the wheel, on a machine that asks the same index as the host."""
    folder.mkdir()
    env = {
        "PIP_INDEX_URL": index,
        "PIP_TRUSTED_HOST": builds.record.gateway,
        "UV_INDEX_URL": "",
        "UV_DEFAULT_INDEX": "",
    }
    person = Person(folder, "there", builds.record.port, env)
    person.commits(**{"Procfile": "web: python server.py\n", "requirements.txt": LOCKED, "server.py": SERVER})
    return person


def layers_of(person: Person) -> dict[str, str]:
    """What a build here makes of the app: digests by layer."""
    slug = json.loads(person.types("deployer", "build", "--json", "-a", person.app).stdout)
    return {layer["name"]: layer["digest"] for layer in slug["layers"]}


def test_a_host_builds_what_this_machine_would(builds: Sandbox, space: Pointer, index: str, tmp_path: Path) -> None:
    ada = with_app(builds, tmp_path / "there", index)
    ada.types("deployer", "create", "there", "--space", space.name)
    try:
        deployed = ada.types("deployer", "deploy", "--on-host", "-a", "there")
        assert f"Building on {builds.hosts[0].id}: as you asked" in deployed.stderr
        assert "Python app detected" in deployed.stderr
        ada.sees("hello from a wheel")
        for host in (0, 1):
            there = on(builds, "ls /srv/deployer/apps/there/layers", host).split()
            assert set(there) == set(layers_of(ada).values())
        nothing = ada.types("deployer", "deploy", "--on-host", "-a", "there")
        assert "Nothing changed" in nothing.stderr
        (ada.folder / "requirements.txt").write_text(LOCKED.replace("hello", "absent"))
        failed = ada.types("deployer", "deploy", "--on-host", "-a", "there", status=1)
        assert "absent" in failed.stderr
        assert "v2 still serving" in failed.stderr
        _users_hardly_notice(ada, builds)
    finally:
        ada.types("deployer", "apps:destroy", "-a", "there", "--confirm", "there")


def _users_hardly_notice(ada: Person, builds: Sandbox) -> None:
    """The build's processes are an ordinary user's, in their slice, and step back for whoever serves."""
    (ada.folder / "requirements.txt").write_text(LOCKED)
    hook = ada.folder / "bin/post_compile"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\n{BURN}")
    hook.chmod(0o755)
    quiet = latencies(ada, 5)
    said: list[str] = []
    build = threading.Thread(target=lambda: said.append(_deployed(ada)))
    build.start()
    deadline = time.monotonic() + 60
    while not (burning := [line for line in on(builds, "ps -eo uid,policy,cgroup").splitlines() if "29000" in line]):
        assert build.is_alive() and time.monotonic() < deadline, said
        time.sleep(0.2)
    assert {line.split()[1] for line in burning} == {"IDL"}
    assert all("deployerbuilds.slice" in line for line in burning)
    busy = latencies(ada, 5)
    build.join()
    assert "uid 29000" in said[0]
    print(f"what users wait, in the middle: {quiet:.4f} s alone, {busy:.4f} s beside a build that burns processors")


def _deployed(ada: Person) -> str:
    return ada.types("deployer", "deploy", "--on-host", "-a", "there").stderr


def latencies(ada: Person, seconds: float) -> float:
    """The median of what users wait, who ask twenty times a second."""
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert ada.asks()[0] == 200
        took.append(time.monotonic() - began)
        time.sleep(0.05)
    return statistics.median(took)


def test_why_a_build_happens_elsewhere_is_said() -> None:
    platform = parse("debian-13")
    assert elsewhere.why_not_here(platform) is None
    other = "arm64" if platform.architecture == "amd64" else "amd64"
    why = elsewhere.why_not_here(parse(f"debian-13-{other}"))
    assert why == f"this machine is {platform.architecture}, the hosts are {other}"
