"""Procfiles as people write them, and as they break."""

from __future__ import annotations

import pytest

from deployer.errors.procfile import ProcfileBroken
from deployer.model import procfile


@pytest.mark.parametrize(
    ("content", "types"),
    [
        (b"web: gunicorn app:app\n", {"web": "gunicorn app:app"}),
        (b"web:gunicorn\nworker : python w.py", {"web": "gunicorn", "worker": "python w.py"}),
        (b"\n# comment\n  # another\nweb: a\n\n", {"web": "a"}),
        (b"  web: indented  ", {"web": "indented"}),
        (b"\xef\xbb\xbfweb: with a byte order mark\n", {"web": "with a byte order mark"}),
        ("web: from PowerShell\r\n".encode("utf-16"), {"web": "from PowerShell"}),
        (b"web: sh -c 'a: b'\n", {"web": "sh -c 'a: b'"}),
        (b"release: migrate\nmcp-tools_2: x\n", {"release": "migrate", "mcp-tools_2": "x"}),
        (b"", {}),
    ],
)
def test_a_procfile_is_read_as_heroku_reads_it(content: bytes, types: dict[str, str]) -> None:
    assert procfile.parse(content).types == types


def test_types_keep_their_order() -> None:
    assert list(procfile.parse(b"worker: a\nweb: b\nclock: c").types) == ["worker", "web", "clock"]


def test_a_later_line_of_the_same_type_counts_and_is_told() -> None:
    found = procfile.parse(b"web: old\nweb: new\n")
    assert found.types == {"web": "new"}
    assert found.warnings == ("line 2: `web` was declared before; this line counts.",)


def test_windows_line_ends_are_told_and_do_not_reach_the_command() -> None:
    found = procfile.parse(b"web: gunicorn\r\nworker: w\r\n")
    assert found.types == {"web": "gunicorn", "worker": "w"}
    assert found.warnings == ("It has Windows line ends, which are left out.",)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"gunicorn app:app --bind", "`gunicorn app` cannot name a process type"),
        (b"web gunicorn", "`web gunicorn` has no `:` after a process type"),
        (b"web:", "`web` has no command"),
        (b"web:   ", "`web` has no command"),
        (b": gunicorn", "`` cannot name a process type"),
        (b"web.1: gunicorn", "`web.1` cannot name a process type"),
        ("wéb: gunicorn".encode(), "`wéb` cannot name a process type"),
        (b"-web: gunicorn", "`-web` cannot name a process type"),
        (b"w" * 64 + b": gunicorn", "cannot name a process type"),
        (b"web: a\0b", "it holds a NUL character"),
        (b"web: " + b"x" * 9000, "the command of `web` is longer than"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(line: bytes, problem: str) -> None:
    with pytest.raises(ProcfileBroken) as broken:
        procfile.parse(b"# first\n" + line + b"\n")
    assert broken.value.problems.startswith("line 2: ")
    assert problem in broken.value.problems


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ProcfileBroken) as broken:
        procfile.parse(b"web\nworker: fine\nclock:\n")
    assert [line.split(":")[0] for line in broken.value.problems.splitlines()] == ["line 1", "line 3"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ProcfileBroken, match="no text in UTF-8"):
        procfile.parse(b"web: caf\xe9\n")


@pytest.mark.parametrize("name", ["procfile", "Procfile.txt", "PROCFILE", "Proc-file", "procfile.yml"])
def test_a_misspelt_procfile_is_found(name: str) -> None:
    assert procfile.lookalike(["app.py", name]) == name


def test_other_files_are_no_procfile() -> None:
    assert procfile.lookalike(["Procfile.windows", "profile", "app.py"]) is None
