"""From a folder to a URL, typed as a person types it: the main job on real hosts with a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.person import Person, with_app

pytestmark = pytest.mark.hosts


def test_a_django_site_with_postgresql_goes_from_git_push_to_rollback(
    space: Pointer, sandbox: Sandbox, tmp_path: Path
) -> None:
    ada = with_app(tmp_path, "python_django", "my-portfolio-app", sandbox.record.port)
    created = ada.types("deployer", "create", "my-portfolio-app", "--space", space.name)
    assert "deployer::hosts/my-portfolio-app" in created.stdout
    added = ada.types("deployer", "addons:create", "heroku-postgresql:hobby-dev")
    assert "as DATABASE_URL" in added.stdout

    first = ada.types("git", "push", "deployer", "main")
    assert "remote: -----> Python app detected" in first.stderr
    assert "Applying auth.0001_initial... OK" in first.stderr, "migrations run in the release phase"
    assert "[new branch]      main -> main" in first.stderr
    ada.sees("Hello from Django v3 on web.1")

    _changes_the_greeting(ada)
    second = ada.types("git", "push", "deployer", "main")
    assert "Using cached dependencies" in second.stderr
    assert ada.asks()[1] == "Servus from Django v4 on web.1\n"
    assert "Everything up-to-date" in ada.types("git", "push", "deployer", "main").stderr

    ada.types("deployer", "rollback")
    assert ada.asks()[1] == "Hello from Django v5 on web.1\n"
    releases = json.loads(ada.types("deployer", "releases", "--json").stdout)
    assert releases[0]["description"] == "Rollback to v3"
    _pushing_again_deploys_what_was_rolled_back(ada)
    _destroyed_leaves_nothing(ada, sandbox)


def _changes_the_greeting(ada: Person) -> None:
    views = next(path for path in ada.folder.rglob("views.py") if "Hello" in path.read_text())
    views.write_text(views.read_text().replace("Hello", "Servus"))
    ada.commits()


def _pushing_again_deploys_what_was_rolled_back(ada: Person) -> None:
    """After a rollback the remote's main is the commit that serves: HEAD is ahead of it again."""
    again = ada.types("git", "push", "deployer", "main")
    assert "main -> main" in again.stderr
    assert ada.asks()[1] == "Servus from Django v6 on web.1\n"


def _destroyed_leaves_nothing(ada: Person, sandbox: Sandbox) -> None:
    ada.types("deployer", "apps:destroy", "--confirm", ada.app)
    assert ada.types("git", "remote").stdout == ""
    assert ada.asks()[0] == 404
    left = [path.name for path in (sandbox.folder / "hosts").glob(f"*/srv/deployer/dynos/{ada.app}.*")]
    assert left == []


def test_a_folder_that_is_not_in_git_deploys_and_an_unchanged_one_does_nothing(
    space: Pointer, sandbox: Sandbox, tmp_path: Path
) -> None:
    bob = with_app(tmp_path, "python_flask_worker", "flask-app", sandbox.record.port)
    bob.types("deployer", "create", "flask-app", "--space", space.name, "--no-remote")
    bob.types("rm", "-rf", ".git")
    bob.types("deployer", "deploy", "-a", "hosts/flask-app")
    assert bob.asks()[0] == 200
    bob.types("deployer", "ps:scale", "worker=1", "web=2", "-a", "hosts/flask-app")
    dynos = json.loads(bob.types("deployer", "ps", "--json", "-a", "hosts/flask-app").stdout)
    assert {dyno["name"]: dyno["state"] for dyno in dynos} == {"web.1": "up", "web.2": "up", "worker.1": "up"}
    again = bob.types("deployer", "deploy", "-a", "hosts/flask-app")
    assert "Nothing changed: v2 already serves this" in again.stderr
    bob.types("deployer", "apps:destroy", "-a", "hosts/flask-app", "--confirm", "flask-app")
