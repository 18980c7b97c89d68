"""The agent runs on a host that has nothing but Debian's Python: what it holds, and that it starts."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deployer.remote.bundle import Bundle, bundle

PYTHON = "/usr/bin/python3"


def unpack(folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(bundle().archive())) as archive:
        # Debian 12's Python knows no filters yet, later ones warn without one.
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return folder


def run(folder: Path, *words: str, request: str = "") -> subprocess.CompletedProcess[str]:
    """The agent in `folder`, from elsewhere, in an environment that would lead another program astray."""
    astray = {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "/nowhere"}
    command = [PYTHON, "-I", str(folder), f"--root={folder}/root", *words]
    return subprocess.run(command, input=request, capture_output=True, text=True, cwd="/", env=astray, check=False)


def test_the_agent_holds_its_packages_and_nothing_else() -> None:
    others = {path for path in bundle().files if not path.startswith(("deployer/host/", "deployer/model/"))}
    names = ("__init__", "backups", "base", "certificates", "copy", "entries", "folder", "keys", "record", "wire")
    store = {f"deployer/store/{name}.py" for name in names}
    errors = {"deployer/errors/__init__.py", "deployer/errors/base.py"}
    assert others == {"__main__.py", "deployer/__init__.py", "deployer/version.py"} | store | errors


def test_the_agent_imports_only_what_it_holds_and_the_standard_library() -> None:
    held = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in bundle().files}
    for path, content in bundle().files.items():
        for node in ast.walk(ast.parse(content)):
            for name in _imported(node):
                known = name in held or name.rpartition(".")[0] in held or name.split(".")[0] in sys.stdlib_module_names
                assert known, f"{path} imports {name}"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def test_a_bundle_is_the_same_for_the_same_files_and_has_another_name_for_others() -> None:
    again = Bundle(bundle().name, dict(reversed(bundle().files.items())))
    assert again.archive() == bundle().archive()
    bundle.cache_clear()
    assert bundle().name == again.name


@pytest.mark.edge
def test_it_answers_on_the_systems_own_python(tmp_path: Path) -> None:
    ran = run(unpack(tmp_path), "facts")
    assert ran.stderr == ""
    facts = json.loads(ran.stdout)["result"]
    assert facts["agent"] == tmp_path.name
    assert facts["cpus"] == os.cpu_count()
    assert facts["tokens"] == {}


@pytest.mark.edge
def test_every_call_that_it_names_can_be_loaded_there(tmp_path: Path) -> None:
    script = "from deployer.host.calls import CALLS; [call.load() for call in CALLS.values()]"
    (unpack(tmp_path) / "__main__.py").write_text(script)
    assert run(tmp_path).stderr == ""


@pytest.mark.edge
def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    for words in ([], ["facts", "store"], ["--rot=x", "serve"]):
        ran = run(unpack(tmp_path), *words)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith("usage: ")


@pytest.mark.edge
def test_by_hand_it_takes_one_request_line(tmp_path: Path) -> None:
    request = json.dumps({"ops": [{"put": "a", "body": "b"}, {"get": "a"}]}) + "\n"
    ran = run(unpack(tmp_path), "store", request=request)
    assert json.loads(ran.stdout)["result"]["answers"][1]["body"] == "b"
    assert run(tmp_path, "nonsense").returncode == 1
