"""The list of buildpacks, and a plan as people read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from buildpacks.plan import BuildPlan, Derived, Layer, Remembered, Run, Say
from deployer.cli.build import plan_lines
from deployer.cli.up import folder_name
from deployer.errors.apps import NoApp
from deployer.errors.buildpacks import BuildpackTwice, BuildpackUnset
from deployer.operations.buildpacks import with_added, with_set, without
from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]


def test_positions_count_from_one() -> None:
    assert with_set(("a", "b"), "c", None) == ("c",)
    assert with_set(("a", "b"), "c", 2) == ("a", "c")
    assert with_set(("a",), "c", 2) == ("a", "c")
    assert with_added(("a", "b"), "c", None) == ("a", "b", "c")
    assert with_added(("a", "b"), "c", 1) == ("c", "a", "b")
    assert without(("a", "b"), "a", None) == ("b",)
    assert without(("a", "b"), None, 2) == ("a",)


def test_one_is_never_there_twice_nor_removed_where_it_is_not() -> None:
    with pytest.raises(BuildpackTwice):
        with_added(("a",), "a", None)
    with pytest.raises(BuildpackTwice):
        with_set(("a", "b"), "a", 2)
    assert with_set(("a", "b"), "b", 2) == ("a", "b")
    for wrong in (("c", None), (None, 3)):
        with pytest.raises(BuildpackUnset):
            without(("a", "b"), *wrong)


def test_what_the_commands_say(sandbox: Machine, golden: Golden) -> None:
    sandbox.run("create", "shop")
    typed = (
        "buildpacks",
        "buildpacks:set heroku/python",
        "buildpacks:add https://github.com/heroku/heroku-buildpack-python",
        "buildpacks",
        "buildpacks:remove heroku/ruby",
        "buildpacks:clear",
    )
    golden("commands/buildpacks.txt", "\n".join(sandbox.shown(*words.split()) for words in typed))
    app = sandbox.ledger().app("shop")
    assert app is not None and app.buildpacks == ()


def test_a_buildpack_that_there_is_not_is_refused_before_a_build(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run("buildpacks:set", "heroku/cobol") == 1
    assert "There is no buildpack `heroku/cobol`." in sandbox.err
    assert sandbox.run("create", "blog", "-b", "cobol") == 1
    assert [app.name for app in sandbox.ledger().apps()] == ["shop"]


def test_several_are_numbered(sandbox: Machine, golden: Golden) -> None:
    ledger = sandbox.ledger()
    ledger.save_app(replace(ledger.create_app("shop", space="sandbox"), buildpacks=("heroku/nodejs", "heroku/python")))
    typed = ("buildpacks", "buildpacks --json", "buildpacks:remove -i 3")
    golden("commands/buildpacks-two.txt", "\n".join(sandbox.shown(*words.split()) for words in typed))


def test_a_plan_is_shown_in_the_order_in_which_it_happens(golden: Golden) -> None:
    plan = BuildPlan(
        buildpack="heroku/python",
        language="Python",
        steps=(
            Say("Using Python 3.13"),
            Layer(
                name="dependencies",
                path=".heroku/python",
                steps=(Run(command=("uv", "pip", "install", "-r", "a b.txt")),),
                inputs=("requirements.txt",),
                facts={"Python": "3.13"},
            ),
            Run(command=("sh", "-c", "echo $A"), title="Hook"),
            Remembered(name="static files", run=Run(command=("collect",)), reused="Same", unless="X"),
            Derived(name="byte code", suffix=".py", product="{folder}{stem}.pyc", command=("compile",)),
        ),
        process_types={"web": "gunicorn"},
    )
    golden("commands/build--plan.txt", "\n".join(plan_lines(plan)) + "\n")


@pytest.mark.parametrize(
    ("folder", "app"), [("shop", "shop"), ("My_Shop 2", "my-shop-2"), ("-x-y-", "x-y"), ("a" * 40, "a" * 30)]
)
def test_a_folder_gives_its_name_to_an_app(folder: str, app: str) -> None:
    assert folder_name(folder) == app


@pytest.mark.parametrize("folder", ["", "42", "é", "a"])
def test_a_folder_whose_name_cannot_be_an_apps(folder: str) -> None:
    with pytest.raises(NoApp):
        folder_name(folder)
