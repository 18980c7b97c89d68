"""Which buildpacks build a source, and the words when none does."""

from __future__ import annotations

import pytest

from buildpacks import catalog
from buildpacks.plan import Target
from buildpacks.tree import Tree
from deployer.build import choice
from deployer.errors.build import BuildpackMismatch, BuildpackUnknown, NoLanguage, SourceRefused
from deployer.model.events import Event, Step

PYTHON = Tree.of({"requirements.txt": ""})


def test_the_language_is_detected() -> None:
    told: list[Event] = []
    assert choice.choose(PYTHON, (), told.append) == ("heroku/python",)
    assert told == [Step("Determining which buildpack to use for this app"), Step("Using buildpack: heroku/python")]


@pytest.mark.parametrize(
    "name",
    [
        "python",
        "heroku/python",
        "https://github.com/heroku/heroku-buildpack-python",
        "https://github.com/heroku/heroku-buildpack-python.git",
    ],
)
def test_a_buildpack_goes_by_all_its_names(name: str) -> None:
    assert choice.choose(PYTHON, (name,), lambda event: None) == ("heroku/python",)


@pytest.mark.parametrize("name", ["cobol", "someone/python", "https://github.com/someone/heroku-buildpack-python"])
def test_other_buildpacks_are_unknown(name: str) -> None:
    assert catalog.canonical(name) is None
    with pytest.raises(BuildpackUnknown, match="heroku/python"):
        choice.choose(PYTHON, (name,), lambda event: None)


def test_a_chosen_buildpack_must_fit() -> None:
    with pytest.raises(BuildpackMismatch, match="README"):
        choice.choose(Tree.of({"README": ""}), ("python",), lambda event: None)


def test_an_empty_source_has_no_language() -> None:
    with pytest.raises(NoLanguage, match="holds: nothing"):
        choice.choose(Tree.of({}), (), lambda event: None)


def test_a_refusal_has_reason_and_remedy() -> None:
    with pytest.raises(SourceRefused) as refused:
        choice.plan("heroku/python", Tree.of({"Pipfile": ""}), Target(platform="debian-13-amd64", python="3.13.5"))
    assert refused.value.language == "Python"
    assert refused.value.reason.endswith("run `pipenv lock`.")
    assert "requirements.txt" in refused.value.remedy
