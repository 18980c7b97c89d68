"""Patterns of .slugignore."""

from __future__ import annotations

import pytest

from deployer.build.slugignore import compile_patterns


@pytest.mark.parametrize(
    ("pattern", "path", "is_folder", "ignored"),
    [
        ("*.log", "a.log", False, True),
        ("*.log", "deep/er/a.log", False, True),
        ("*.log", "a.logs", False, False),
        ("/notes", "notes", False, True),
        ("/notes", "a/notes", False, False),
        ("docs/", "docs", True, True),
        ("docs/", "docs", False, False),
        ("docs/", "a/docs", True, True),
        ("a/b", "a/b", False, True),
        ("a/b", "x/a/b", False, False),
        ("a/*.md", "a/x.md", False, True),
        ("a/*.md", "a/b/x.md", False, False),
        ("**/tmp", "a/b/tmp", True, True),
        ("**/tmp", "tmp", True, True),
        ("a/**/z", "a/z", False, True),
        ("a/**/z", "a/b/c/z", False, True),
        ("a/**", "a/b", False, True),
        ("a/**", "a", True, False),
        ("file?.txt", "file1.txt", False, True),
        ("file?.txt", "file/.txt", False, False),
        ("[abc].py", "b.py", False, True),
        ("[!abc].py", "b.py", False, False),
        ("[!abc].py", "d.py", False, True),
        ("a.b", "axb", False, False),
        ("# comment", "# comment", False, False),
        (r"\#file", "#file", False, True),
        ("trailing   ", "trailing", False, True),
        ("!kept", "kept", False, False),
        ("!kept", "!kept", False, False),
        ("", "anything", False, False),
        ("a(b", "a(b", False, True),
    ],
)
def test_a_pattern_means_what_it_means_to_git(pattern: str, path: str, is_folder: bool, ignored: bool) -> None:
    assert compile_patterns([pattern])(path, is_folder) is ignored


def test_without_patterns_nothing_is_left_out() -> None:
    assert not compile_patterns([])("a", True)


def test_windows_line_ends_are_no_part_of_a_pattern() -> None:
    assert compile_patterns(["docs/\r\n", "*.md\r\n"])("README.md", False)
