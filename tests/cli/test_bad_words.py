"""Words that no command can take: every one of them, with every option."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deployer.cli import load
from deployer.cli.entry import Entry
from deployer.cli.table import ENTRIES
from tests.cli.conftest import Machine

WORDS = {"run", "run:detached"}  # what stands behind these belongs to another program
# As many words as one likes, or one of three.
MANY = {
    "config:get",
    "ps:type",
    "config:set",
    "config:unset",
    "ps",
    "ps:scale",
    "hosts:reboot",
    "apps:open",
    "completion",
    "iam:policy",
}
IDS = {"ids": lambda value: value if isinstance(value, str) else getattr(value, "name", None)}


def valued() -> Iterator[tuple[Entry, str]]:
    """Every option of every command that takes a value."""
    for entry in ENTRIES:
        for param in load.command(entry).params:
            if param.param_type_name == "option" and not param.is_flag:
                yield entry, param.opts[-1]


def refused(machine: Machine, *words: str) -> str:
    """What was said: a usage failure, with where to look, and no calls of hosts."""
    assert machine.run(*words) == 2, machine.out + machine.err
    assert machine.host.asked == []
    assert "Traceback" not in machine.err
    return machine.err


@pytest.mark.parametrize("entry", ENTRIES, **IDS)
def test_an_unknown_option_is_named(entry: Entry, deployed: Machine) -> None:
    said = refused(deployed, entry.name, "--nonsense")
    assert "--nonsense" in said
    assert f"deployer {entry.name} --help" in said


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.name not in WORDS | MANY], **IDS)
def test_more_words_than_a_command_takes_are_named(entry: Entry, deployed: Machine) -> None:
    assert "five" in refused(deployed, entry.name, "one", "two", "three", "four", "five")


@pytest.mark.parametrize(("entry", "option"), list(valued()), **IDS)
def test_an_option_without_its_value_is_named(entry: Entry, option: str, deployed: Machine) -> None:
    assert option in refused(deployed, entry.name, option)


@pytest.mark.parametrize(("entry", "option"), list(valued()), **IDS)
def test_an_empty_value_means_nothing_and_is_refused(entry: Entry, option: str, deployed: Machine) -> None:
    """`-a "$APP"` with nothing in APP would else be whatever app there is."""
    more = ("true",) if entry.name in WORDS else ("ADDON",) if entry.name.startswith("addons:") else ()
    assert "Got unexpected" not in refused(deployed, entry.name, option, "", *more)


@pytest.mark.parametrize("ref", ["HEAD", "v1"])
def test_a_commit_outside_of_a_checkout_is_no_riddle(ref: str, deployed: Machine) -> None:
    assert deployed.run("build", "--commit", ref) == 1
    assert "This folder is no git checkout." in deployed.err


LISTINGS = (
    "apps,apps:info,config,config:get DEBUG,ps,releases,releases:info v3,addons,addons --all,pg:info,buildpacks,spaces"
)


@pytest.mark.parametrize("words", LISTINGS.split(","))
def test_every_listing_is_json_on_stdout_and_nothing_else(words: str, deployed: Machine) -> None:
    assert deployed.run(*words.split(), "--json") == 0, deployed.err
    assert json.loads(deployed.out) is not None
    assert deployed.err == ""


def test_an_option_that_is_nearly_right_is_told_which_was_meant(deployed: Machine) -> None:
    assert "--json" in refused(deployed, "releases", "--jsno")


@pytest.mark.parametrize(
    "words",
    [
        "config:set",
        "config:unset",
        "config:get",
        "run",
        "addons:create",
        "addons:destroy",
        "addons:info",
        "buildpacks:set",
        "buildpacks:add",
        "buildpacks:remove",
        "spaces:create",
        "spaces:destroy",
        "completion",
    ],
)
def test_a_missing_word_is_asked_for(words: str, deployed: Machine) -> None:
    refused(deployed, *words.split())
