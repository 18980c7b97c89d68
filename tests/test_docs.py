"""Documents cannot drift: links lead somewhere, commands exist, every command is shown, nothing names a registry."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from deployer.cli.entry import Entry
from deployer.cli.table import ENTRIES, TOPICS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^]]*\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
MAKE_TARGET = re.compile(r"`make ([a-z-]+)`|^(?:\$ |    )make ([a-z-]+)", re.MULTILINE)
# Where packages come from is each machine's own business; the pieces keep this file out of its own search.
REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("npmjs", "org"), ("pythonhosted", "org"), ("pkg", "dev"))]
COMMAND = re.compile(r"(?:\$ |; |&& |`)deployer ([a-z][a-z:-]*)")
NAME = re.compile(r"^[A-Za-z0-9._-]+")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_in_documents_exist(document: Path) -> None:
    named = {first or second for first, second in MAKE_TARGET.findall(document.read_text())}
    assert named <= targets()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_documents_exist(document: Path) -> None:
    known = {name for entry in ENTRIES for name in (entry.name, *entry.aliases)} | {"help", *TOPICS}
    named = set(COMMAND.findall(document.read_text()))
    assert named <= known


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_is_documented_with_an_example(entry: Entry) -> None:
    manual = (ROOT / "docs/commands.md").read_text()
    assert entry.help in manual
    assert entry.examples
    assert [example for example in entry.examples if f"deployer {example}" not in manual] == []


def test_every_target_has_its_script() -> None:
    named = re.findall(r"@(scripts/[a-z-]+)", (ROOT / "Makefile").read_text())
    assert [name for name in named if not (ROOT / name).stat().st_mode & 0o100] == []


def test_every_dependency_is_locked_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [match[0] for match in map(NAME.match, wanted) if match]
    assert [name for name in names if not re.search(rf"^{name}==.*\\\n    --hash=sha256:", lock, re.MULTILINE)] == []


def test_no_file_names_a_registry() -> None:
    wrong = [f"{path}: {name}" for path in tracked() for name in REGISTRIES if name in text_of(ROOT / path)]
    assert not wrong, "\n".join(wrong)


def test_the_lock_file_holds_no_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def tracked() -> list[str]:
    """Paths in git; in an unpacked archive without git there is nothing to look at."""
    words = ["git", "--git-dir", str(ROOT / ".git"), "--work-tree", str(ROOT), "ls-files", "-z"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    return [path for path in answer.stdout.split("\0") if path and (ROOT / path).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
