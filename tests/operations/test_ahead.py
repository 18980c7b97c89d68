"""Builds in a process of their own, beside something else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from deployer.build.elsewhere import Order
from deployer.build.source import from_folder
from deployer.errors.build import NoLanguage
from deployer.model.platforms import parse
from deployer.operations.ahead import Ahead
from tests.build.conftest import Builder, Told, digests
from tests.build.test_build import write

pytest_plugins = ["tests.build.conftest"]
pytestmark = pytest.mark.edge
SLOW = {"requirements.txt": "", "Procfile": "web: true\n", "bin/post_compile": "sleep 600\n"}


def order(folder: Path) -> Order:
    return Order(from_folder(folder), "x", parse("debian-13"), (), {})


def test_what_it_builds_is_there_for_the_release(tmp_path: Path, cache: Path, built: Builder) -> None:
    heard = Told()
    app = write(tmp_path / "app", {"requirements.txt": "six==1.17.0\n", "Procfile": "web: true\n"})
    ahead = Ahead(order(app), "shop", heard)
    ahead.wait()
    ahead.end()
    assert "-----> Building shop meanwhile" in heard.text and "shop is built, " in heard.text
    assert "Python app detected" not in heard.text, "nobody reads two things at once"
    before = time.monotonic()
    assert set(digests(built(app))) == {"dependencies", "app"}
    assert time.monotonic() - before < 5


def test_a_failure_is_told_at_once_with_all_that_was_said(tmp_path: Path, cache: Path) -> None:
    heard = Told()
    ahead = Ahead(order(write(tmp_path / "app", {"README": "nothing"})), "shop", heard)
    with pytest.raises(NoLanguage):
        ahead.wait()
    ahead.end()
    assert "The build of shop said:" in heard.text and "Determining which buildpack" in heard.text
    assert "nothing is released" in heard.text


def test_nothing_runs_on_when_nobody_waits(tmp_path: Path, cache: Path) -> None:
    heard = Told()
    folder = write(tmp_path / "app", SLOW)
    ahead = Ahead(order(folder), "shop", heard)
    time.sleep(3)
    before = time.monotonic()
    ahead.end()
    assert time.monotonic() - before < 2
    assert "built" not in heard.text.replace("Building", "")
