"""Config vars on their way from a person to a process and back."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.host.dyno_files import shell_exports
from deployer.model.config_vars import (
    MAX_RENDERED,
    MAX_STRING,
    parse_env_file,
    parse_pairs,
    problems,
    rendered_size,
    shell_line,
)

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
NASTY = st.text("'\"\\$`\n\t #=!{}a é", max_size=12)
KEYS = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)


@given(st.dictionaries(KEYS, VALUES | NASTY, max_size=5))
def test_what_config_s_prints_can_be_set_from_a_file(config: dict[str, str]) -> None:
    text = "".join(shell_line(key, value) + "\n" for key, value in config.items())
    assert parse_env_file(text) == (config, [])


@pytest.mark.edge
@settings(max_examples=40, deadline=None)
@given(VALUES | NASTY)
def test_a_shell_reads_what_config_s_prints(value: str) -> None:
    script = f'{shell_line("A", value)}\nprintf %s. "$A"'
    out = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=10).stdout
    assert out == value.encode() + b"."


@given(st.dictionaries(KEYS, VALUES | NASTY, max_size=5))
def test_the_size_is_that_of_the_file_on_the_host(config: dict[str, str]) -> None:
    assert rendered_size(config) == len(shell_exports(config))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain-1.2:3/4", "A=plain-1.2:3/4"),
        ("", "A=''"),
        ("two words", "A='two words'"),
        ("it's", 'A="it\'s"'),
        ("it's $5", 'A="it\'s \\$5"'),
        ("a\nb", "A='a\nb'"),
    ],
)
def test_values_are_quoted_only_where_they_need_it(value: str, line: str) -> None:
    assert shell_line("A", value) == line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("\n# a comment\n  export A = 1 # another\r\n", {"A": "1"}),
        ("A=a#b", {"A": "a#b"}),
        ("A= # nothing", {"A": ""}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ('A="x\\ny"', {"A": "x\ny"}),
        ("A='x\\ny'", {"A": "x\\ny"}),
        ("A='it'\\''s'", {"A": "it's"}),
        ('A="two\nlines" # and this\nB=2', {"A": "two\nlines", "B": "2"}),
        ("URL=postgres://u:p@h/d?a=b&c=d", {"URL": "postgres://u:p@h/d?a=b&c=d"}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_env_files_as_people_write_them(text: str, found: dict[str, str]) -> None:
    assert parse_env_file(text) == (found, [])


def test_every_bad_line_of_an_env_file_is_named_at_once() -> None:
    found, wrong = parse_env_file("A=1\nnonsense\nB=2\n=3\nC='open\n")
    assert found == {"A": "1", "B": "2"}
    assert wrong == [
        "line 2 is no KEY=VALUE",
        "line 4 is no KEY=VALUE",
        "the quote that begins in line 5 is never closed",
    ]


def test_pairs_are_split_at_the_first_equals_sign_and_bad_ones_named_at_once() -> None:
    assert parse_pairs(["A=b=c", "B=", "nonsense", "C"]) == (
        {"A": "b=c", "B": ""},
        ["`nonsense` has no `=`: KEY=VALUE", "`C` has no `=`: KEY=VALUE"],
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems({"1A": "x", "__B": "x", "C": "\0", "D": "x" * MAX_STRING, "E-F": ""})
    assert [problem.split()[0] for problem in found] == ["`1A`", "`__B`", "C", "D", "`E-F`"]


def test_a_value_fits_until_the_kernel_would_refuse_it() -> None:
    """The limit as execve has it: measured with a process of this machine."""
    longest = "x" * (MAX_STRING - len("KEY=") - 1)
    assert problems({"KEY": longest}) == []
    assert subprocess.run(["/bin/true"], env={"KEY": longest}, check=False).returncode == 0
    assert problems({"KEY": longest + "x"}) == [
        "KEY takes 131,073 bytes with its name, and at most 131,072 fit into a process"
    ]
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["/bin/true"], env={"KEY": longest + "x"}, check=False)


def test_quotes_count_fourfold_against_what_fits() -> None:
    fits = {f"K{n}": "x" * (110 << 10) for n in range(8)}
    assert problems(fits) == []
    assert problems({key: value[: len(value) // 3] for key, value in fits.items()}) == []
    [problem] = problems({key: "'" * (len(value) // 3) for key, value in fits.items()})
    assert f"{MAX_RENDERED >> 10} KiB" in problem
