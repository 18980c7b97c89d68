"""Who may import whom, what may be imported where, and how long things may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("deployer", "buildpacks", "infra")

# cli -> operations -> build, ship, spaces, addons, remote -> store -> model; `errors` may be imported by all.
BELOW_OPERATIONS = {"build", "ship", "spaces", "addons", "remote"}
MAY_IMPORT = {
    "cli": {"operations", "store", "model", *BELOW_OPERATIONS},
    "operations": {"store", "model", *BELOW_OPERATIONS},
    **{name: {*BELOW_OPERATIONS, "store", "model"} for name in BELOW_OPERATIONS},
    "store": {"model"},
    "model": set(),
    "errors": {"model"},
    "host": {"model", "store"},
}
# The program of the cloud is a value and its price: it knows nothing of spaces, ledgers or command lines.
INFRA_MAY_IMPORT = ("deployer.model.", "deployer.errors.", "infra.")
MAY_IMPORT_INFRA = {"cli", "operations", "spaces"}
# The agent travels to hosts that have nothing but Python.
TRAVELS = ("deployer.host.", "deployer.model.", "deployer.store.", "deployer.errors.base.", "deployer.version.")
# Each costs 40 to 260 ms of every start of the command line.
HEAVY = {"paramiko", "fabric", "boto3", "botocore", "pulumi", "pulumi_aws", "rich", "zstandard", "websockets"}
OWNERS = {"paramiko": "deployer/remote", "pulumi": "infra", "pulumi_aws": "infra", "websockets": "deployer/spaces/aws"}
# The Pulumi program cannot be written without Pulumi; whoever runs it imports it inside a function.
PULUMI_PROGRAM = ("infra.components", "infra.program", "infra.project", "infra.__main__")
BROAD_CATCHERS = {"deployer/cli/main.py", "deployer/cli/git_remote.py", "deployer/host/serve.py"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def sources(*folders: str) -> list[Path]:
    """Our Python files below the folders, relative to the repository; those of the example apps are not ours."""
    found = (path.relative_to(ROOT) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if path.parts[:2] != ("tests", "apps")]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), str(path))


def imports(path: Path, *, module_level: bool = False) -> Iterator[tuple[str, int]]:
    """(module, line) of every import; of those that run when the file is imported only, where asked."""
    for node in module_level_nodes(tree_of(path)) if module_level else ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def module_level_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node outside functions and outside `if TYPE_CHECKING`."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node):
            continue
        yield node
        todo.extend(ast.iter_child_nodes(node))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def package_of(module: str) -> str:
    """`deployer.store.lease.hold` -> `store`."""
    return module.partition(".")[2].partition(".")[0]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, lines) of every function, its docstring included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_packages_import_only_what_lies_below_them() -> None:
    wrong = [
        f"{path}:{line}: {path.parts[1]} imports {module}"
        for path in sources("deployer")
        if path.parts[1] in MAY_IMPORT
        for module, line in imports(path)
        if module.split(".")[0] == "deployer"
        and package_of(module) in MAY_IMPORT
        and package_of(module) not in {path.parts[1], "errors", *MAY_IMPORT[path.parts[1]]}
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_has_its_place_in_the_order() -> None:
    found = {path.parent.name for path in (ROOT / "deployer").glob("*/__init__.py")}
    assert found == set(MAY_IMPORT)


def test_buildpacks_import_nothing_of_deployer() -> None:
    wrong = [f"{p}:{line}: {m}" for p in sources("buildpacks") for m, line in imports(p) if m.startswith("deployer")]
    assert not wrong, "\n".join(wrong)


def test_infra_imports_only_the_model() -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in sources("infra")
        for module, line in imports(path)
        if module.split(".")[0] in PACKAGES and not module.startswith(INFRA_MAY_IMPORT)
    ]
    wrong += [
        f"{path}:{line}: {path.parts[1]} imports {module}"
        for path in sources("deployer")
        for module, line in imports(path)
        if module.split(".")[0] == "infra" and path.parts[1] not in MAY_IMPORT_INFRA
    ]
    assert not wrong, "\n".join(wrong)


def test_what_the_agent_imports_travels_with_it_or_is_standard_library() -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in reachable(sources("deployer/host"))
        for module, line in imports(path)
        if not may_travel(module)
    ]
    assert not wrong, "\n".join(wrong)


def test_model_and_store_are_standard_library() -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in sources("deployer/model", "deployer/store")
        for module, line in imports(path, module_level=True)
        if module.split(".")[0] not in {"deployer", *sys.stdlib_module_names}
    ]
    assert not wrong, "\n".join(wrong)


def may_travel(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names or f"{module}.".startswith(TRAVELS)


def reachable(start: list[Path]) -> list[Path]:
    """The files of ours that these import, and those import in turn, themselves included."""
    todo, seen = list(start), set(start)
    while todo:
        for module, _ in imports(todo.pop()):
            new = {path for path in files_of(module) if path not in seen}
            seen |= new
            todo += new
    return sorted(seen)


def files_of(module: str) -> list[Path]:
    """The file of `deployer.store.base.Store` or `deployer.store.base`, where it is ours."""
    path = Path(*module.split("."))
    return [file for file in (Path(f"{path}.py"), Path(f"{path.parent}.py")) if (ROOT / file).is_file()]


def test_heavy_libraries_are_imported_inside_functions() -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in sources(*PACKAGES)
        if not is_of_pulumi_program(".".join(path.with_suffix("").parts))
        for module, line in imports(path, module_level=True)
        if module.split(".")[0] in HEAVY or is_of_pulumi_program(module)
    ]
    assert not wrong, "\n".join(wrong)


def is_of_pulumi_program(module: str) -> bool:
    return f"{module}.".startswith(tuple(f"{one}." for one in PULUMI_PROGRAM))


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_at_the_edge_has_one_owner(library: str) -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in sources(*PACKAGES)
        if not path.is_relative_to(OWNERS[library])
        for module, line in imports(path)
        if module.split(".")[0] == library
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_outermost_frames_catch_everything() -> None:
    wrong = [
        f"{path}:{node.lineno}: {ast.unparse(node.type) if node.type else 'bare except'}"
        for path in sources(*PACKAGES)
        if str(path) not in BROAD_CATCHERS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not ends_in_raise(node)
    ]
    assert not wrong, "\n".join(wrong)


def ends_in_raise(handler: ast.ExceptHandler) -> bool:
    """A handler that cleans up and raises again swallows nothing."""
    return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None


def test_tests_never_patch_our_own_names() -> None:
    wrong = [
        f"{path}:{line}: {module}"
        for path in sources("tests")
        for module, line in imports(path)
        if module.startswith("unittest.mock")
    ]
    wrong += [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path in sources("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"monkeypatch.setattr", "patch.setattr"}
    ]
    assert not wrong, "\n".join(wrong)


def test_no_command_goes_through_a_shell_by_accident() -> None:
    wrong = [
        f"{path}:{node.value.lineno}"
        for path in sources(*PACKAGES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.keyword) and node.arg == "shell" and ast.unparse(node.value) != "False"
    ]
    assert not wrong, "\n".join(wrong)


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in sources(*PACKAGES, "demo", "smoke", "bench", "tests"):
        lines = (ROOT / path).read_text().count("\n")
        wrong += [f"{path}: {lines} lines"] if lines > LONGEST_FILE else []
        wrong += [f"{path}: {name} has {n} lines" for name, n in functions(path) if n > LONGEST_FUNCTION]
    assert not wrong, "\n".join(wrong)


def test_the_order_of_packages_has_no_circle() -> None:
    """A guard for the table above: what is below never imports what is above."""
    order = ["cli", "operations", "ship", "store", "model"]
    for above, below in pairwise(order):
        assert above not in MAY_IMPORT[below], f"{below} may import {above}"
