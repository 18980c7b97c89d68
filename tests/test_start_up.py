"""Starting is quick and light: on the laptop, and on a host that has nothing but its distribution's Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = (
    "paramiko",
    "fabric",
    "boto3",
    "pulumi",
    "rich",
    "zstandard",
    "cryptography",
    "pydantic",
    "asyncio",
    "websockets",
)
MODULES = 60  # that `--help` may load beside what a bare Python has loaded
HELP = "import sys; from deployer.cli.main import run\ntry: run(['--help'])\nexcept SystemExit: pass\n"
IMPORT_ALL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for module in sys.argv[2:]:
    importlib.import_module(module)
"""


def python(*words: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Our Python, with byte code kept in a folder of the test: the first run compiles, as after an installation."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env = {**kept, "PYTHONPYCACHEPREFIX": str(cache)}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False
    )


def test_help_loads_no_heavy_library(tmp_path: Path) -> None:
    script = f"{HELP}print(*sorted({{m.split('.')[0] for m in sys.modules}}), file=sys.stderr)"
    answer = python("-c", script, cache=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "deployer" in answer.stdout
    assert not set(HEAVY) & set(answer.stderr.split())


def test_help_loads_little(tmp_path: Path) -> None:
    """What takes the time is what is loaded: measured on a quiet machine in bench/, counted here on any."""
    bare = python("-c", "import sys; print(len(sys.modules))", cache=tmp_path)
    script = f"{HELP}print(len(sys.modules), file=sys.stderr)"
    assert int(python("-c", script, cache=tmp_path).stderr) - int(bare.stdout) <= MODULES


def test_a_preview_loads_nothing_of_the_cloud_and_nothing_that_dials(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: gunicorn shop\n")
    run = "import os, sys; from deployer.cli.main import run; os.chdir(sys.argv[1]); run(['preview'])\n"
    script = f"{run}print(*sorted({{m.split('.')[0] for m in sys.modules}}), file=sys.stderr)"
    answer = python("-c", script, str(tmp_path), cache=tmp_path / "cache")
    assert "The same on Heroku" in answer.stdout
    heavy = {*HEAVY, "ssl"} - {"pydantic"}  # which typer loads for any command
    assert not heavy & set(answer.stderr.split())


def test_ssh_comes_without_what_a_connection_does_not_need(tmp_path: Path) -> None:
    script = """
import sys
from deployer.remote import ssh
ssh.load()
import paramiko
print(*sorted(sys.modules))
from importlib.metadata import version
assert paramiko.__version__ == version("paramiko"), paramiko.__version__
"""
    answer = python("-c", script, cache=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert not {"asyncio", "email.message", "unittest"} & set(answer.stdout.split())


@pytest.mark.parametrize("interpreter", ["/usr/bin/python3", sys.executable])
def test_the_agent_needs_nothing_but_python(interpreter: str, tmp_path: Path) -> None:
    """Without site-packages and without the rest of this repository: what does not travel is not there."""
    agent = travelled(tmp_path)
    files = [path.relative_to(agent) for path in agent.rglob("host/**/*.py") if path.name != "__main__.py"]
    modules = [".".join(file.with_suffix("").parts) for file in sorted(files)]
    words = [interpreter, "-I", "-S", "-W", "error", "-c", IMPORT_ALL, str(agent), *modules]
    answer = subprocess.run(words, cwd="/", capture_output=True, text=True, timeout=30, check=False)
    assert modules
    assert answer.returncode == 0, answer.stderr


def travelled(folder: Path) -> Path:
    """What goes to a host: the agent, model and store, and the tree of failures."""
    sources = [p for name in ("host", "model", "store") for p in (ROOT / "deployer" / name).rglob("*.py")]
    sources += [
        *(ROOT / f"deployer/{one}.py" for one in ("__init__", "version")),
        ROOT / "deployer/errors/__init__.py",
        ROOT / "deployer/errors/base.py",
    ]
    for source in sources:
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return folder
