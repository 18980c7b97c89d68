"""What an installation reads decides when it is skipped: a file that is forgotten here is a wrong skip."""

from __future__ import annotations

import pytest

from buildpacks.python import requirements
from buildpacks.python.requirements import Reads
from buildpacks.tree import Tree


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("django==5.2\n", ()),
        ("-r base.txt\n", ("base.txt",)),
        ("-rbase.txt\n", ("base.txt",)),
        ("--requirement=requirements/prod.txt\n", ("requirements/prod.txt",)),
        ("-c constraints.txt  # pinned\n", ("constraints.txt",)),
        ("./libs/thing\n", ("libs/thing",)),
        ("./libs/thing[extra]; python_version > '3'\n", ("libs/thing",)),
        ("thing @ file:///app/libs/thing\n", ("libs/thing",)),
        ("thing @ file:libs/thing\n", ("libs/thing",)),
        ("wheels/x-1-py3-none-any.whl\n", ("wheels/x-1-py3-none-any.whl",)),
        ("-e libs/thing\n", ("libs/thing",)),
        ("# -r other.txt\n", ()),
        ("django \\\n  --hash=sha256:00\n", ()),
        ("--index-url https://example.org/simple\n", ()),
        ("thing @ https://example.org/thing.whl\n", ()),
    ],
)
def test_every_file_that_is_read_decides(text: str, inputs: tuple[str, ...]) -> None:
    tree = Tree.of({"requirements.txt": text, "wheels/x-1-py3-none-any.whl": ""})
    assert requirements.reads(tree) == Reads(("requirements.txt", *inputs))


@pytest.mark.parametrize("line", ["-e .", "--editable=.", ".", ".[dev]", "../elsewhere", "-e ./"])
def test_an_app_that_installs_itself_depends_on_all_of_its_source(line: str) -> None:
    assert requirements.reads(Tree.of({"requirements.txt": line})).inputs == ("",)


def test_lists_are_followed_also_in_circles() -> None:
    tree = Tree.of(
        {"requirements.txt": "-r a/one.txt", "a/one.txt": "-r two.txt\n", "a/two.txt": "-r ../requirements.txt"}
    )
    assert requirements.reads(tree).inputs == ("requirements.txt", "a/one.txt", "a/two.txt")


@pytest.mark.parametrize(
    ("line", "volatile"),
    [
        ("x @ git+https://example.org/x.git", ("git+https://example.org/x.git names no commit",)),
        ("git+https://example.org/x.git@main#egg=x", ("git+https://example.org/x.git@main names no commit",)),
        (f"git+https://example.org/x.git@{'0a' * 20}#egg=x", ()),
        ("-e git+ssh://git@example.org/x.git#egg=x", ("git+ssh://git@example.org/x.git names no commit",)),
    ],
)
def test_what_follows_a_branch_is_never_skipped(line: str, volatile: tuple[str, ...]) -> None:
    assert requirements.reads(Tree.of({"requirements.txt": line})) == Reads(("requirements.txt",), volatile)
