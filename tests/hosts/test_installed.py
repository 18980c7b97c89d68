"""The installed wheel, from an empty home: a release by `deployer deploy` and one by `git push`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.person import Person
from tests.test_wheel import ROOT, environment, uv

pytestmark = pytest.mark.hosts
MOVED = ("DEPLOYER_HOME", "DEPLOYER_DATA", "DEPLOYER_CACHE")


@pytest.fixture
def person(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> Iterator[Person]:
    """Their folder has packages named like ours, which nothing may import."""
    home, folder = tmp_path / "home", tmp_path / "installed"
    python = ("--python", sys.executable)
    uv("build", "--wheel", "--no-build-isolation", *python, "--out-dir", str(tmp_path), str(ROOT))
    wheel = next(tmp_path.glob("deployer_cli-*.whl"))
    home.mkdir()
    constraints = ("--constraints", str(ROOT / "requirements.lock"))
    uv("tool", "install", *python, *constraints, str(wheel), env=environment(home))
    for name in ("infra", "buildpacks", "deployer"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('the folder was imported')")
    (folder / "Procfile").write_text("web: cd public && exec python -m http.server $PORT\n")
    (folder / "requirements.txt").write_text("")
    (folder / "public").mkdir()
    (folder / "public/index.html").write_text("first\n")
    env = {**environment(home), **{name: os.environ[name] for name in MOVED}}
    person = Person(folder, "installed", sandbox.record.port, env)
    deployer = shutil.which("deployer", path=env["PATH"])
    assert deployer and deployer.startswith(str(home))
    yield person
    person.types(deployer, "apps:destroy", "-a", f"{space.name}/installed", "--confirm", "installed", status=None)


def test_what_is_installed_deploys_a_folder_and_a_push(person: Person, space: Pointer) -> None:
    person.commits()
    person.types("deployer", "create", "installed", "--space", space.name)
    person.types("deployer", "deploy")
    person.sees("first")
    person.commits(**{"public__index.html": "second\n"})
    pushed = person.types("git", "push", "deployer", "main")
    assert "Released v3" in pushed.stderr
    person.sees("second")
