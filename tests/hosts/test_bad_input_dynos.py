"""Releases whose processes do not come up, in each way that there is: the release before serves on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.mishaps import SERVER, Owner, owner

pytestmark = pytest.mark.hosts
APP = "bad-dynos"
HERE = ("-a", f"hosts/{APP}")


@pytest.fixture(scope="module")
def bob(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    person = owner(tmp_path_factory.mktemp("dynos") / APP, APP, sandbox)
    yield person
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


def test_a_web_process_that_exits_is_said_with_its_last_lines(bob: Owner) -> None:
    bob.fails_to_deploy(
        "web.1 of bad-dynos exited with status 1 on hosts-h",
        "ModuleNotFoundError: No module named 'flask'",
        server_dot_py="import flask\n",
    )


def test_a_web_process_whose_program_is_missing_hints_at_requirements(bob: Owner) -> None:
    bob.fails_to_deploy(
        "exited with status 127",
        "Is the package that has it among the app's requirements?",
        Procfile="web: gunicorn server:app\n",
    )


def test_a_web_process_that_never_binds_is_given_up_after_its_time(bob: Owner) -> None:
    bob.fails_to_deploy(
        "did not listen on $PORT within 3 seconds",
        "still thinking",
        "must listen on the port in the variable PORT",
        Procfile="web: echo still thinking; sleep 60\n",
    )


def test_a_web_process_that_binds_another_port_is_told_where_it_listens(bob: Owner) -> None:
    bob.fails_to_deploy(
        "listens on 0.0.0.0:8000, not on 0.0.0.0:$PORT",
        "take its port from the variable PORT",
        Procfile="web: PORT=8000 python server.py\n",
    )


def test_a_web_process_that_binds_loopback_only_is_told_so(bob: Owner) -> None:
    bob.fails_to_deploy("listen on 0.0.0.0", server_dot_py=SERVER.replace("0.0.0.0", "127.0.0.1"))


def test_a_web_process_that_answers_500_never_gets_traffic(bob: Owner) -> None:
    bob.fails_to_deploy("is up but unhealthy", "GET / gave 500", Procfile="web: STATUS=500 python server.py\n")


def test_config_vars_that_break_the_app_are_taken_back(bob: Owner) -> None:
    current = bob.current
    said = bob.is_refused("deployer", "config:set", "STATUS=500", *HERE, says=("GET / gave 500",))
    bob.told_still_serving(said, current)
    assert bob.types("deployer", "config:get", "STATUS", *HERE).stdout == "\n"


def test_a_rollback_to_a_release_that_does_not_come_up_any_more_is_taken_back(bob: Owner) -> None:
    """It worked once: what it needs is gone since."""
    number = bob.newest + 1
    bob.types("deployer", "config:set", f"FIRST=v{number + 1}", *HERE)
    bob.deploys(Procfile='web: test "$HEROKU_RELEASE_VERSION" = "$FIRST" && exec python server.py\n')
    bob.deploys()
    current = bob.current
    said = bob.is_refused("deployer", "rollback", *HERE, says=("exited with status 1",))
    bob.told_still_serving(said, current)


def test_a_worker_that_dies_keeps_the_old_worker(bob: Owner) -> None:
    works = "web: python server.py\nworker: sleep 1000\n"
    bob.deploys(Procfile=works)
    bob.types("deployer", "ps:scale", "worker=1", *HERE)
    bob.fails_to_deploy("worker.1 of bad-dynos exited with status 9", Procfile=works.replace("sleep 1000", "exit 9"))
    bob.deploys()


def test_scaling_up_what_does_not_come_up_changes_nothing(bob: Owner) -> None:
    bob.deploys(Procfile='web: test "$DYNO" = web.1 && exec python server.py\n')
    said = bob.is_refused("deployer", "ps:scale", "web=2", *HERE, says=("web.2 of bad-dynos exited",))
    bob.told_still_serving(said, bob.current)
    bob.deploys()


def test_the_first_deploy_that_fails_says_that_nothing_serves(bob: Owner) -> None:
    bob.types("deployer", "create", "bad-start", "--space", "hosts", "--no-remote")
    bob.writes(Procfile="web: exit 3\n")
    said = bob.types("deployer", "deploy", "-a", "hosts/bad-start", status=1).stderr
    assert "exited with status 3" in said
    assert "NOTHING SERVING: bad-start has no release with code yet. Next: `deployer deploy" in said.splitlines()[-1]
    assert bob.types("deployer", "ps", "-a", "hosts/bad-start", "--json").stdout == "[]\n"
    bob.types("deployer", "apps:destroy", "-a", "hosts/bad-start", "--confirm", "bad-start")
