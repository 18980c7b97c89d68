"""The plans of Python apps, as people read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from buildpacks import python
from buildpacks.describe import describe
from buildpacks.errors import Refused
from buildpacks.plan import Layer, Remembered, Run, Say, Target
from buildpacks.tree import Tree

MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')"
APPS = {
    "django": {"requirements.txt": "django\n", "manage.py": MANAGE},
    "flask_with_hooks": {"requirements.txt": "flask\n", "bin/pre_compile": "", "bin/post_compile": ""},
    "other_version": {"requirements.txt": "", ".python-version": "3.12\n"},
    "uv": {"uv.lock": "", "pyproject.toml": "[project]\nname='x'\n"},
    "poetry": {
        "poetry.lock": "",
        "pyproject.toml": "[tool.poetry]\npackage-mode=false\n",
        "runtime.txt": "python-3.13.1",
    },
    "pipenv": {"Pipfile.lock": '{"_meta": {}, "default": {}}', "Pipfile": ""},
}


def target(**config: str) -> Target:
    return Target(platform="debian-13-amd64", python="3.13.5", uv="0.9", config=config)


@pytest.mark.parametrize("case", APPS)
def test_a_plan_can_be_read(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plans/python_{case}.txt", describe(python.plan(Tree.of(APPS[case]), target())))


@pytest.mark.parametrize(
    "name", ["requirements.txt", "app.py", "pyproject.toml", "requirments.txt", "venv/x", "__pycache__/x"]
)
def test_python_is_detected_as_heroku_does(name: str) -> None:
    assert python.detect(Tree.of({name: ""})) == "Python"


@pytest.mark.parametrize("name", ["package.json", "src/app.py", "readme"])
def test_other_files_are_no_python_app(name: str) -> None:
    assert python.detect(Tree.of({name: ""})) is None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("requirements.txt", "uv.lock"), "`requirements.txt`, `uv.lock`"),
        (("app.py",), "No list of Python packages was found."),
        (("Pipfile",), "run `pipenv lock`"),
        (("pyproject.toml",), "run `uv lock` or `poetry lock`"),
        (("requirments.txt",), "Rename it to `requirements.txt`."),
        (("setup.py",), "a requirements.txt with the line `.` installs it"),
    ],
)
def test_a_list_of_packages_that_is_not_clear_is_refused(files: tuple[str, ...], message: str) -> None:
    with pytest.raises(Refused) as refused:
        python.plan(Tree.of(dict.fromkeys(files, "")), target())
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("files", "inputs"),
    [
        ({"uv.lock": "", "pyproject.toml": "[project]\nname='x'"}, ("pyproject.toml", "uv.lock", "uv.toml")),
        ({"uv.lock": "", "pyproject.toml": "[build-system]\nrequires=[]"}, ("",)),
        (
            {"uv.lock": "", "pyproject.toml": "[build-system]\n[tool.uv]\npackage=false"},
            ("pyproject.toml", "uv.lock", "uv.toml"),
        ),
        ({"uv.lock": "", "pyproject.toml": "[tool.uv.workspace]\nmembers=['libs/*']"}, ("",)),
        ({"poetry.lock": "", "pyproject.toml": "[tool.poetry]\nname='x'"}, ("",)),
        ({"Pipfile.lock": '{"_meta": {}, "default": {"x": {"path": "./x"}}}'}, ("",)),
    ],
)
def test_packages_made_from_the_source_depend_on_all_of_it(files: dict[str, str], inputs: tuple[str, ...]) -> None:
    assert layer(files).inputs == inputs


def layer(files: dict[str, str]) -> Layer:
    plan = python.plan(Tree.of(files), target())
    return next(step for step in plan.steps if isinstance(step, Layer) and step.name == "dependencies")


def test_collectstatic_is_left_out_where_a_config_var_says_so() -> None:
    plan = python.plan(Tree.of(APPS["django"]), target(DISABLE_COLLECTSTATIC="1"))
    assert not any(isinstance(step, Remembered) for step in plan.steps)
    assert any(isinstance(step, Say) and "DISABLE_COLLECTSTATIC" in step.text for step in plan.steps)


def test_the_manage_py_that_lies_least_deep_counts() -> None:
    files = {"requirements.txt": "", "b/manage.py": MANAGE, "a/deep/manage.py": MANAGE, "a/b/c/d/manage.py": MANAGE}
    plan = python.plan(Tree.of(files), target())
    (step,) = [step for step in plan.steps if isinstance(step, Remembered)]
    assert step.run.command[-1] == "b/manage.py"


def test_a_manage_py_without_django_collects_nothing() -> None:
    plan = python.plan(Tree.of({"requirements.txt": "", "manage.py": "import flask"}), target())
    assert not any(isinstance(step, Remembered) for step in plan.steps)


def test_hooks_get_copies_of_the_layers_and_pip() -> None:
    plan = python.plan(Tree.of(APPS["flask_with_hooks"]), target())
    hooks = [step for step in plan.steps if isinstance(step, Run)]
    assert [hook.title for hook in hooks] == ["Running bin/pre_compile hook", "Running bin/post_compile hook"]
    assert all(hook.changes_layers and hook.config for hook in hooks)
    assert "--seed" in layer(APPS["flask_with_hooks"]).steps[0].command


def test_values_of_config_vars_are_not_in_the_printed_plan() -> None:
    plan = python.plan(Tree.of(APPS["django"]), target(SECRET_KEY="very-secret"))
    assert "very-secret" not in describe(plan)
