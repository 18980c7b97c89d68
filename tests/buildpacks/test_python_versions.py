"""Which Python an app gets: every source of a version, and every way to get one wrong."""

from __future__ import annotations

import pytest

from buildpacks.errors import Refused
from buildpacks.plan import Target
from buildpacks.python import versions
from buildpacks.python.versions import PythonVersion
from buildpacks.tree import Tree


def target(**previous: str) -> Target:
    return Target(platform="debian-13-amd64", python="3.13.5", previous=previous)


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, PythonVersion("3.13", versions.DEFAULT)),
        ({".python-version": "3.12\n"}, PythonVersion("3.12", ".python-version")),
        ({".python-version": "# ours\n\n 3.12.4 \n"}, PythonVersion("3.12.4", ".python-version")),
        ({"runtime.txt": "python-3.11.9\r\n"}, PythonVersion("3.11.9", "runtime.txt")),
        ({"runtime.txt": "python-3.11", ".python-version": "3.12"}, PythonVersion("3.11", "runtime.txt")),
        (
            {"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.12"}}}'},
            PythonVersion("3.12", "Pipfile.lock"),
        ),
        (
            {"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.12", "python_full_version": "3.12.1"}}}'},
            PythonVersion("3.12.1", "Pipfile.lock"),
        ),
        ({"Pipfile.lock": '{"_meta": {}}'}, PythonVersion("3.13", versions.DEFAULT)),
        ({".python-version": "\ufeff3.12"}, PythonVersion("3.12", ".python-version")),
    ],
)
def test_the_first_source_of_a_version_counts(files: dict[str, str], version: PythonVersion) -> None:
    assert versions.choose(Tree.of(files), target()) == version


def test_without_a_version_the_one_of_the_last_build_stays() -> None:
    assert versions.choose(Tree.of({}), target(python="3.12")) == PythonVersion("3.12", versions.STICKY)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({".python-version": ""}, "it has 0 lines, comments aside"),
        ({".python-version": "3.12\n3.13\n"}, "it has 2 lines, comments aside"),
        ({".python-version": "python-3.12"}, "it says `python-3.12`"),
        ({".python-version": "3.12.*"}, "it says `3.12.*`"),
        ({".python-version": "latest"}, "it says `latest`"),
        ({"runtime.txt": "3.12"}, "`runtime.txt` does not name a Python version: it says `3.12`"),
        ({"runtime.txt": "Python-3.12"}, "does not name a Python version"),
        ({"runtime.txt": " "}, "it is empty"),
        ({".python-version": "3.9"}, "Python 3.9, asked for by .python-version, gets no security fixes any more"),
        ({"runtime.txt": "python-3.8.20"}, "Python 3.8, asked for by runtime.txt"),
        ({".python-version": "3.99"}, "Python 3.99, asked for by .python-version, is not known"),
        ({"Pipfile.lock": "{"}, "`Pipfile.lock` cannot be read"),
        ({"Pipfile.lock": "[]"}, "it has no `_meta`"),
        ({"Pipfile.lock": '{"_meta": {"requires": {"python_version": ">=3.8"}}}'}, "it says `>=3.8`"),
        ({".python_version": "3.12"}, "There is a file `.python_version`, which nothing reads."),
        ({"Runtime.txt": "python-3.12"}, "Rename it to `runtime.txt`."),
    ],
)
def test_a_version_that_cannot_be_had_is_refused(files: dict[str, str], message: str) -> None:
    with pytest.raises(Refused) as refused:
        versions.choose(Tree.of(files), target())
    assert message in str(refused.value)


def test_an_old_version_of_the_last_build_is_refused_too() -> None:
    with pytest.raises(Refused, match="as in the last build"):
        versions.choose(Tree.of({}), target(python="3.9"))


@pytest.mark.parametrize(
    ("version", "own"), [("3.13", True), ("3.13.5", True), ("3.13.4", False), ("3.1", False), ("3.12", False)]
)
def test_only_the_same_version_is_the_platforms(version: str, own: bool) -> None:
    assert PythonVersion(version, "").is_platforms(target()) is own
