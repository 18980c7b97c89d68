"""Which app is meant, and which space."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deployer.operations import checkout
from deployer.operations.checkout import Remote
from tests.cli.conftest import Machine


def git(folder: Path, *words: str) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", "-C", str(folder), *words], env=env, check=True, capture_output=True, timeout=30)


def app_shown(machine: Machine, *flags: str) -> str:
    """`SPACE/APP` as `info` finds it, or the first line of its error."""
    if machine.run("info", *flags) != 0:
        return machine.err.splitlines()[0].removeprefix(" !     ")
    found = dict(line.split("=", 1) for line in _shell(machine, *flags))
    return found["git_url"].removeprefix("deployer::")


def _shell(machine: Machine, *flags: str) -> list[str]:
    machine.run("info", "-s", *flags)
    return machine.out.splitlines()


@pytest.fixture
def two_spaces(sandbox: Machine) -> Machine:
    """`shop` and `blog` in the sandbox, `shop` in production too."""
    sandbox.ledger().create_app("shop", space="sandbox")
    sandbox.ledger().create_app("blog", space="sandbox")
    sandbox.add_space("production").create_app("shop", space="production")
    return sandbox


@pytest.fixture
def in_git(two_spaces: Machine) -> Machine:
    git(two_spaces.folder, "init", "-q")
    return two_spaces


def remote(machine: Machine, name: str, space: str, app: str) -> None:
    checkout.set_remote(machine.folder, Remote(name, space, app))


def test_without_any_space_the_way_to_one_is_told(machine: Machine) -> None:
    assert machine.run("info") == 1
    assert "deployer spaces:create sandbox" in machine.err


def test_the_only_app_of_the_only_space_is_meant(sandbox: Machine) -> None:
    sandbox.ledger().create_app("shop", space="sandbox")
    assert app_shown(sandbox) == "sandbox/shop"


def test_several_apps_in_the_only_space_are_listed(sandbox: Machine) -> None:
    for name in ("blog", "shop"):
        sandbox.ledger().create_app(name, space="sandbox")
    assert sandbox.run("info") == 2
    assert "sandbox/blog\n !     sandbox/shop" in sandbox.err


def test_a_name_with_a_space_is_never_ambiguous(two_spaces: Machine) -> None:
    assert app_shown(two_spaces, "-a", "production/shop") == "production/shop"


def test_a_bare_name_guesses_no_space(two_spaces: Machine) -> None:
    assert app_shown(two_spaces, "-a", "shop") == "Which space? There are several: production, sandbox."
    assert two_spaces.run("info", "-a", "shop") == 2


def test_an_unknown_space_is_named_with_those_known(two_spaces: Machine) -> None:
    assert two_spaces.run("info", "-a", "staging/shop") == 1
    assert "Known on this machine: production, sandbox." in two_spaces.err


def test_an_unknown_app_is_named_with_its_space(two_spaces: Machine) -> None:
    assert app_shown(two_spaces, "-a", "sandbox/nope") == "Couldn't find the app nope in the space sandbox."


def test_the_environment_says_which(two_spaces: Machine) -> None:
    two_spaces.env["DEPLOYER_APP"] = "production/shop"
    assert app_shown(two_spaces) == "production/shop"
    two_spaces.env = {"DEPLOYER_SPACE": "sandbox"}
    assert app_shown(two_spaces, "-a", "blog") == "sandbox/blog"


@pytest.mark.edge
def test_the_checkouts_remote_says_which(in_git: Machine) -> None:
    remote(in_git, "deployer", "sandbox", "blog")
    assert app_shown(in_git) == "sandbox/blog"
    assert app_shown(in_git, "-a", "blog") == "sandbox/blog"


@pytest.mark.edge
def test_flags_win_over_the_environment_and_that_over_remotes(in_git: Machine) -> None:
    remote(in_git, "deployer", "sandbox", "blog")
    remote(in_git, "production", "production", "shop")
    in_git.env["DEPLOYER_APP"] = "sandbox/shop"
    assert app_shown(in_git) == "sandbox/shop"
    assert app_shown(in_git, "-r", "production") == "production/shop"
    assert app_shown(in_git, "-a", "sandbox/blog") == "sandbox/blog"


@pytest.mark.edge
def test_several_remotes_are_an_error_that_lists_them(in_git: Machine) -> None:
    remote(in_git, "deployer", "sandbox", "shop")
    remote(in_git, "production", "production", "shop")
    assert in_git.run("info") == 2
    assert "production/shop (remote production)" in in_git.err and "sandbox/shop (remote deployer)" in in_git.err


@pytest.mark.edge
def test_a_remote_that_leads_elsewhere_is_refused(in_git: Machine) -> None:
    git(in_git.folder, "remote", "add", "origin", "git@example.com:me/shop.git")
    remote(in_git, "deployer", "sandbox", "shop")
    assert app_shown(in_git) == "sandbox/shop"
    assert app_shown(in_git, "-r", "origin") == "The git remote origin does not lead to an app."


def test_the_manifest_says_which_where_nothing_else_does(two_spaces: Machine) -> None:
    (two_spaces.folder / "deployer.toml").write_text('app = "shop"\n[space.production]\nregion = "eu-central-1"\n')
    assert app_shown(two_spaces) == "production/shop"


def test_a_broken_manifest_is_an_error_of_the_user(two_spaces: Machine) -> None:
    (two_spaces.folder / "deployer.toml").write_text("app = \n")
    assert two_spaces.run("info") == 2
    assert "deployer.toml" in two_spaces.err


@pytest.mark.edge
def test_create_adds_a_remote_named_deployer_then_one_like_the_space(in_git: Machine) -> None:
    assert in_git.run("create", "one", "--space", "sandbox") == 0
    assert in_git.run("create", "two", "--space", "production") == 0
    assert checkout.remotes(in_git.folder) == (
        Remote("deployer", "sandbox", "one"),
        Remote("production", "production", "two"),
    )


@pytest.mark.edge
def test_create_moves_no_remote_that_is_there(in_git: Machine) -> None:
    for app in ("one", "two", "three"):
        assert in_git.run("create", app, "--space", "sandbox") == 0
    assert [remote.app for remote in checkout.remotes(in_git.folder)] == ["one", "two"]
    assert "deployer git:remote -a sandbox/three -r NAME" in in_git.err
    assert in_git.run("create", "four", "--space", "sandbox", "-r", "mine") == 0
    assert Remote("mine", "sandbox", "four") in checkout.remotes(in_git.folder)


@pytest.mark.edge
def test_create_leaves_remotes_alone_when_told_to(in_git: Machine) -> None:
    assert in_git.run("create", "one", "--space", "sandbox", "--no-remote") == 0
    assert checkout.remotes(in_git.folder) == ()


@pytest.mark.edge
def test_destroy_removes_the_remotes_that_led_there(in_git: Machine) -> None:
    remote(in_git, "deployer", "sandbox", "blog")
    remote(in_git, "other", "production", "shop")
    assert in_git.run("destroy", "-a", "blog", "--confirm", "blog") == 0
    assert checkout.remotes(in_git.folder) == (Remote("other", "production", "shop"),)


@pytest.mark.edge
def test_git_remote_makes_and_moves_a_remote(in_git: Machine) -> None:
    for app in ("shop", "blog"):
        assert in_git.run("git:remote", "-a", f"sandbox/{app}") == 0
        assert in_git.out == f"set git remote deployer to deployer::sandbox/{app}\n"
    assert checkout.remotes(in_git.folder) == (Remote("deployer", "sandbox", "blog"),)


@pytest.mark.parametrize(
    "url", ["deployer::Space/app", "deployer::space", "deployer::s/../x", "https://x/y", "deployer::s/a b"]
)
def test_urls_that_lead_to_no_app(url: str) -> None:
    assert checkout.parse_url(url) is None


def test_a_host_of_a_space_that_is_not_known_here_cannot_be_promoted(sandbox: Machine) -> None:
    assert sandbox.run("hosts:promote", "nowhere-h2", "--space", "nowhere") == 1
    assert "nowhere" in sandbox.err and "sandbox" in sandbox.err
