"""`ps:stop`, `ps:type`, `ps:wait`, `releases:retry` and `maintenance` on real hosts, while users ask."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import PROCFILE, Afflicted
from tests.hosts.machine import Machine
from tests.hosts.outside import Outside, wait_until

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def ann(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path_factory.mktemp("commands") / "mint", "mint", sandbox.record.port)
    person.opens(web=2, worker=1)
    yield person
    person.closes()


def test_a_stopped_dyno_of_the_formation_is_replaced_and_a_one_off_is_gone(ann: Afflicted) -> None:
    said = ann.types("deployer", "run:detached", *ann.here, "--", "sleep", "1000")
    one_off = next(word.strip("(),.") for word in (said.stdout + said.stderr).split() if word.startswith("run."))
    assert one_off in _dynos(ann)
    assert f"Stopping {one_off} dyno on " in ann.types("deployer", "ps:stop", "-d", one_off, *ann.here).stderr
    assert one_off not in _dynos(ann)
    ann.types("deployer", "ps:stop", "-p", "worker", *ann.here)
    ann.is_whole(10)
    assert "There are: " in ann.types("deployer", "ps:stop", "-d", "web.77", *ann.here, status=1).stderr
    assert "Which dynos are to stop?" in ann.types("deployer", "ps:stop", *ann.here, status=2).stderr


def test_a_new_size_reaches_dynos_that_run_and_users_wait_meanwhile(ann: Afflicted, sandbox: Sandbox) -> None:
    users = Outside(ann.port, ann.app)
    with users.asking():
        shown = ann.types("deployer", "ps:type", "web=Standard-2X", *ann.here).stdout
    users.lost_nothing()
    assert "=== Process Types" in shown and "Standard-2X" in shown
    assert {name: dyno["size"] for name, dyno in _dynos(ann).items()} == {
        "web.1": "Standard-2X",
        "web.2": "Standard-2X",
        "worker.1": "Basic",
    }
    assert _limits(sandbox, ann.app) == {1024 << 20, 512 << 20}
    ann.types("deployer", "ps:type", "Basic", *ann.here)
    assert {dyno["size"] for dyno in _dynos(ann).values()} == {"Basic"}
    assert _limits(sandbox, ann.app) == {512 << 20}
    ann.is_whole(10)
    assert "the sizes are Basic" in ann.types("deployer", "ps:type", "web=huge", *ann.here, status=2).stderr


def test_waiting_ends_when_every_dyno_is_up_or_says_which_is_not(ann: Afflicted) -> None:
    assert "3 / 3" in ann.types("deployer", "ps:wait", "-w", "0.2", *ann.here).stderr
    assert "1 / 1" in ann.types("deployer", "ps:wait", "-t", "worker", "-w", "0.2", *ann.here).stderr


def test_maintenance_shows_a_page_survives_deploys_and_ends(ann: Afflicted) -> None:
    assert ann.types("deployer", "maintenance", *ann.here).stdout == "off\n"
    ann.types("deployer", "maintenance:on", *ann.here)
    status, page = ann.asks()
    assert (status, "being worked on" in page) == (503, True)
    assert json.loads(ann.types("deployer", "maintenance", "--json", *ann.here).stdout)["maintenance"] is True
    ann.types("deployer", *ann.words("deploy"))
    ann.types("deployer", "ps:restart", *ann.here)
    assert ann.asks()[0] == 503
    assert ann.types("deployer", "run", *ann.here, "--", "echo", "inside").stdout.strip() == "inside"
    ann.types("deployer", "maintenance:off", *ann.here)
    ann.sees("v")
    assert ann.asks()[0] == 200
    ann.is_whole(10)


def test_a_maintenance_that_is_cut_off_is_brought_to_its_end(ann: Afflicted) -> None:
    ann.types(*ann.meets("before:switch", "SIGKILL", "maintenance:on", *ann.here), status=-9)
    ann.types("deployer", "ps:restart", "-p", "worker", *ann.here)
    assert ann.asks()[0] == 503
    ann.types("deployer", "maintenance:off", *ann.here)
    wait_until(lambda: ann.asks()[0] == 200)
    ann.is_whole(10)


def test_a_release_whose_command_failed_is_made_again(ann: Afflicted) -> None:
    before = ann.is_whole().current
    assert before
    (ann.folder / "Procfile").write_text(PROCFILE.replace("release: sleep 0.3", 'release: test -n "$READY"'))
    ann.types("deployer", "config:set", "READY=", *ann.here)
    failed = ann.newest + 1
    ann.changes_a_line()
    ann.types("deployer", "deploy", *ann.here, status=1)
    assert "release command failed" in ann.types("deployer", "releases", *ann.here).stdout
    said = ann.types("deployer", "releases:retry", *ann.here, status=1).stderr
    assert f"Retrying v{failed} on " in said
    assert "The release command of" in said
    (ann.folder / "Procfile").write_text(PROCFILE)
    ann.types("deployer", "deploy", *ann.here)
    said = ann.types("deployer", "releases:retry", *ann.here).stderr
    assert f"done, v{ann.newest}" in said
    assert f"Retry of v{ann.newest - 1}: " in ann.types("deployer", "releases", *ann.here).stdout
    ann.is_whole(10)


def _dynos(ann: Afflicted) -> dict[str, dict[str, str]]:
    listed = json.loads(ann.types("deployer", "ps", "--json", *ann.here).stdout)
    return {dyno["name"]: dyno for dyno in listed}


def _limits(sandbox: Sandbox, app: str) -> set[int]:
    """The memory limits of an app's dynos in bytes, as the kernel has them."""
    found: set[int] = set()
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            script = f"systemctl show --property=MemoryMax --value 'deployer-dyno-v1@{app}.*'"
            found |= {int(line) for line in Machine(session).run(script).split()}
    return found
