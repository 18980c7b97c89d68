"""Completion of names that hold colons, in the shell itself."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from deployer.cli.completion import bash, fish, zsh
from deployer.cli.table import by_name
from tests.cli.conftest import Machine

ASK = """
COMP_WORDBREAKS={breaks}
COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
_deployer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
COLON = "$' \\t\\n\"\\'><=;|&(:'"


def completed(line: str, breaks: str = COLON) -> list[str]:
    script = bash() + ASK.format(breaks=breaks, line=line)
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.split()


@pytest.mark.edge
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("deployer mai", ["maintenance", "maintenance:off", "maintenance:on"]),
        ("deployer pg:p", ["promote", "psql"]),
        ("deployer pg:backups:c", ["cancel", "capture"]),
        ("deployer ps:sc", ["scale"]),
        ("deployer builds:cache:p", ["purge"]),
        ("deployer ps:scale we", []),
        ("deployer zzz", []),
    ],
)
def test_bash_gets_what_stands_after_the_last_colon(line: str, found: list[str]) -> None:
    assert completed(line) == found


@pytest.mark.edge
def test_bash_without_colons_among_its_word_breaks_gets_whole_names() -> None:
    assert completed("deployer ps:sc", "' '") == ["ps:scale"]


@pytest.mark.edge
@pytest.mark.parametrize(("shell", "text"), [("zsh", zsh()), ("fish", fish())])
def test_other_shells_can_parse_theirs(shell: str, text: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n"], input=text, text=True, check=True, timeout=20)


def test_every_name_is_in_every_shells(machine: Machine) -> None:
    for kind in ("bash", "zsh", "fish"):
        assert machine.run("completion", kind) == 0
        names = machine.out.replace("\\:", ":")
        assert [name for name in by_name() if name not in names] == []
    assert machine.run("completion", "tcsh") == 2
