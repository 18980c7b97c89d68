"""Sources that cannot become a release: said in words, and the release before serves on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.release import Release
from deployer.model.space import Pointer
from deployer.operations.session import open_space
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.mishaps import Owner, owner

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def ada(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    person = owner(tmp_path_factory.mktemp("builds") / "bad-builds", "bad-builds", sandbox)
    yield person
    person.types("deployer", "apps:destroy", "-a", "hosts/bad-builds", "--confirm", "bad-builds")


def test_a_source_without_a_procfile_has_nothing_to_run(ada: Owner) -> None:
    ada.fails_to_deploy("There is nothing to run in this source", "`web: gunicorn mysite.wsgi`", Procfile=None)


def test_a_file_that_was_meant_to_be_the_procfile_is_named(ada: Owner) -> None:
    ada.fails_to_deploy("There is a file `Procfile.txt`", Procfile=None, Procfile_dot_txt="web: python server.py\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web python server.py\n", "line 1: `web python server.py` has no `:`"),
        ("web:\n", "line 1: `web` has no command"),
        ("we b: python server.py\nwörker: x\n", "line 2: `wörker` cannot name a process type"),
    ],
)
def test_a_malformed_procfile_is_refused_with_its_lines(ada: Owner, text: str, said: str) -> None:
    ada.fails_to_deploy("The Procfile cannot be read.", said, Procfile=text)


def test_a_malformed_app_json_is_refused_with_what_was_found(ada: Owner) -> None:
    wrong = '{"healthchecks": {"timeout": "soon"}}'
    ada.fails_to_deploy('healthchecks.timeout: should be seconds from 1 to 600, found "soon"', app_dot_json=wrong)


def test_an_unknown_language_is_said_with_what_the_root_holds(ada: Owner, sandbox: Sandbox, tmp_path: Path) -> None:
    ada.types("deployer", "buildpacks:clear", "-a", "hosts/bad-builds")
    ada.fails_to_deploy(
        "No default language could be detected",
        "Procfile, app.json, main.rs",
        "requirements.txt",
        requirements_dot_txt=None,
        server_dot_py=None,
        main_dot_rs="fn main() {}\n",
    )


def test_a_requirement_that_nobody_has_fails_the_build(ada: Owner) -> None:
    ada.fails_to_deploy(
        "failed to compile Python app",
        "no-such-package-for-deployer",
        requirements_dot_txt="no-such-package-for-deployer==1.0\n",
    )


def test_a_build_that_fails_half_way_shows_its_output(ada: Owner) -> None:
    hook = "#!/bin/sh\necho compiled the half; exit 3\n"
    ada.fails_to_deploy("compiled the half", "bin/post_compile` ended with status 3", bin__post_compile=hook)


def test_a_release_command_that_fails_leaves_the_release_before_in_force(ada: Owner) -> None:
    ada.fails_to_deploy(
        "cannot migrate",
        "failed with exit status 4",
        "It ran `echo cannot migrate; exit 4`.",
        "deployer releases:output v",
        Procfile="web: python server.py\nrelease: echo cannot migrate; exit 4\n",
    )


def test_a_slug_for_another_platform_is_refused_before_anything_boots(ada: Owner) -> None:
    number = _release_for_another_platform(ada)
    said = ada.is_refused(
        "deployer", "rollback", f"v{number}", "-a", "hosts/bad-builds", says=("was built for debian-9-amd64",)
    )
    ada.told_still_serving(said, ada.current)


def test_a_push_that_fails_is_rejected_and_the_next_one_works(ada: Owner) -> None:
    ada.types("git", "init", "-q", "-b", "main")
    ada.types("deployer", "git:remote", "-a", "hosts/bad-builds")
    current, newest = ada.current, ada.newest
    ada.writes(Procfile="web\n")
    ada.commits()
    said = ada.is_refused("git", "push", "deployer", "main", says=("The Procfile cannot be read.", "[remote rejected]"))
    assert f"remote:  !     v{current} still serving at " in said
    ada.writes()
    ada.commits()
    ada.types("git", "push", "deployer", "main")
    assert ada.current == newest + 1


def _release_for_another_platform(ada: Owner) -> int:
    """As if the space's platform had been another one when this release was made."""
    with open_space(pointers.load(ada.space)) as space:
        state = space.ledger.state(ada.app)
        assert state
        assert state.slug
        assert state.release
        slug = space.ledger.save_slug(replace(state.slug, platform="debian-9-amd64"))
        release: Release = space.ledger.new_release(ada.app, replace(state.release, slug=slug))
        space.ledger.end_release(ada.app, release.number)
        return release.number
