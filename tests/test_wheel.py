"""What is installed from the wheel works alone: in an empty home, in a folder with modules named like ours."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
OURS = {"deployer", "buildpacks", "infra"}
# A folder of a user's may hold anything: importing these would end the command.
HOSTILE_MODULES = ("deployer", "buildpacks", "infra", "typer", "secrets", "platform")

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(out), str(ROOT))
    return next(out.glob("deployer_cli-*.whl"))


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home in which `uv tool install` has put the wheel, with the locked versions of what it needs."""
    home = tmp_path_factory.mktemp("home")
    install = ("tool", "install", "--python", sys.executable, "--constraints", str(ROOT / "requirements.lock"))
    uv(*install, str(wheel), env=environment(home))
    return home


def uv(*words: str, env: dict[str, str] | None = None) -> None:
    answer = subprocess.run([BIN / "uv", *words], env=env, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def environment(home: Path) -> dict[str, str]:
    """The machine's own package configuration and cache; everything else in the empty home."""
    cache = subprocess.run([BIN / "uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("UV_", "SSL_"))}
    path = f"{home / '.local/bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "HOME": str(home), "PATH": path, "UV_CACHE_DIR": cache, "LANG": "C.UTF-8"}


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    for name in HOSTILE_MODULES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            f"raise SystemExit('the module {name} of the folder was imported')"
        )
    return tmp_path


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert "deployer/spaces/aws/archives.json" in names
    assert {name for name in top if not name.endswith(".dist-info")} == OURS


@pytest.mark.parametrize("words", [["--help"], ["version"], ["help", "pg"]])
def test_an_installed_command_runs_our_code_in_a_hostile_folder(
    words: list[str], home: Path, hostile_folder: Path
) -> None:
    answer = subprocess.run(
        ["deployer", *words], cwd=hostile_folder, env=environment(home), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "deployer" in answer.stdout


def test_an_installed_preview_has_its_prices(home: Path, hostile_folder: Path) -> None:
    answer = subprocess.run(
        ["deployer", "preview"], cwd=hostile_folder, env=environment(home), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "unknown" not in answer.stdout


def test_git_finds_the_remote_helper(home: Path, hostile_folder: Path) -> None:
    """It is there, and says in words of ours what is wrong: git's own would be `remote helper not found`."""
    clean = {name: value for name, value in environment(home).items() if not name.startswith("GIT_")}
    answer = subprocess.run(
        ["git", "ls-remote", "deployer::nowhere/nothing"],
        cwd=hostile_folder,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    assert "nowhere" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "git: 'remote-deployer' is not a git command" not in answer.stderr
