"""The frame: finding commands, help, exit statuses."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.cli import help_texts
from deployer.cli.entry import Entry
from deployer.cli.main import run
from deployer.cli.table import ENTRIES, TOPICS, by_name, of_topic
from deployer.errors.deploy import NothingDeployed
from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]
DAILY_TOPICS = ("run:detached", "build")  # beside a command of the same first word that is shown every day


def test_the_root_help_is_daily_commands_and_topics(golden: Golden) -> None:
    golden("help/root.txt", help_texts.root())


def test_a_topics_help_lists_its_commands(machine: Machine, golden: Golden) -> None:
    assert machine.run("help", "ps") == 0
    golden("help/ps.txt", machine.out)


@pytest.mark.parametrize("words", [["--help"], ["help"], ["-h"], ["help", "--help"]])
def test_all_ways_to_ask_for_help_show_the_same(words: list[str], machine: Machine) -> None:
    assert machine.run(*words) == 0
    assert machine.out == help_texts.root()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_has_help_with_its_examples(
    entry: Entry, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.examples
    assert machine.run(entry.name, "--help") == 0
    shown = capsys.readouterr().out
    for example in entry.examples:
        assert help_texts.command_line(example) in shown
    assert "--no-color" in shown


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_is_a_function_that_says_what_it_does(entry: Entry) -> None:
    module, function = entry.at.split(":")
    called = getattr(importlib.import_module(f"deployer.cli.{module}"), function)
    assert called.__doc__
    assert not entry.help.endswith("."), "help lines are set as one column"


def test_examples_are_of_the_command_that_they_stand_by() -> None:
    for entry in ENTRIES:
        for example in entry.examples:
            words = help_texts.command_line(example).partition("deployer ")[2].split()
            assert words[0] in (entry.name, *entry.aliases), f"{example} in {entry.name}"


def test_no_two_commands_share_a_name() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names)) == len(by_name())


def test_every_command_is_found_from_the_root_of_help(machine: Machine) -> None:
    """Every day, or in a topic that the root lists."""
    for entry in ENTRIES:
        assert entry.daily or entry.topic in TOPICS or entry.name in ("version", "completion", *DAILY_TOPICS), (
            entry.name
        )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ps:scael", "ps:scale"), ("confg", "config"), ("relases", "releases"), ("rolback", "rollback")],
)
def test_a_mistyped_command_is_told_what_was_meant(typed: str, meant: str, machine: Machine) -> None:
    assert machine.run(typed) == 2
    assert f"Did you mean `deployer {meant}`?" in machine.err


def test_a_topic_that_is_no_command_is_told_its_help(machine: Machine) -> None:
    assert "git" not in by_name() and of_topic("git")
    assert machine.run("git") == 2
    assert "`deployer help git` lists its commands." in machine.err


def test_a_word_like_nothing_is_unknown(machine: Machine) -> None:
    assert machine.run("zzz") == 2
    assert machine.err == (" !     `zzz` is no command of deployer.\n !\n !     `deployer help` lists what there is.\n")
    assert machine.run("help", "zzz") == 2


@pytest.mark.parametrize("words", ["version --foo", "config:get", "releases -n x", "create a b"])
def test_words_that_a_command_does_not_take_are_usage_errors(words: str, sandbox: Machine) -> None:
    assert sandbox.run(*words.split()) == 2
    assert "--help`." in sandbox.err and sandbox.out == ""


def test_version_is_that_of_the_package(machine: Machine) -> None:
    import tomllib

    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())
    assert machine.run("--version") == 0
    assert machine.out.startswith(f"deployer/{project['project']['version']} ")


class Breaks(Machine):
    """A machine whose spaces are broken in a way that nobody foresaw."""

    error: BaseException = RuntimeError("boom")

    def names(self) -> list[str]:
        raise self.error


@pytest.fixture
def broken(tmp_path: Path) -> Breaks:
    return Breaks(tmp_path, tmp_path)


def test_a_defect_is_called_one_and_its_traceback_is_for_verbose(broken: Breaks) -> None:
    assert broken.run("apps") == 70
    assert "This is a bug in deployer: RuntimeError: boom" in broken.err
    assert "Traceback" not in broken.err
    for words in (["apps", "--verbose"], ["--verbose", "apps"]):
        assert broken.run(*words) == 70
        assert "Traceback" in broken.err


def test_a_terminal_shows_the_sign_of_a_failure_in_red(machine: Machine) -> None:
    machine.coloured = True
    machine.run("nonsense")
    assert all(line.startswith("\x1b[31m !") for line in machine.err.splitlines())


def test_an_interrupt_is_130(broken: Breaks) -> None:
    broken.error = KeyboardInterrupt()
    assert broken.run("apps") == 130
    assert broken.err == "\n !     Interrupted.\n"


def test_what_was_noted_about_a_failure_stands_at_its_end(broken: Breaks) -> None:
    for error, status in ((NothingDeployed("shop"), 1), (KeyboardInterrupt(), 130)):
        error.add_note("v3 still serving.")
        broken.error = error
        assert broken.run("apps") == status
        assert broken.err.endswith(" !     v3 still serving.\n")


@pytest.mark.edge
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deployer.cli.main", "help"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, timeout=30, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.edge
@pytest.mark.parametrize(
    ("words", "status", "first"), [(["help"], 0, "Heroku's workflow"), (["help", "nothing"], 2, "")]
)
def test_the_program_ends_at_once_and_loses_no_word(words: list[str], status: int, first: str, tmp_path: Path) -> None:
    """Its streams are no terminal: what is still buffered at the end must come out."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "deployer.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=30, check=False)
    assert (done.returncode, done.stdout[: len(first)], bool(done.stderr)) == (status, first, status != 0)


def test_help_needs_no_command_to_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import sys\nfrom deployer.cli.main import run\nrun(['--help'])\nassert 'typer' not in sys.modules, 'typer'"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, timeout=30)
    assert run(["--help"]) == 0
    assert capsys.readouterr().out == help_texts.root()
