"""Ctrl-C at every step of a deploy: before the commit it is undone everywhere, after it it is finished."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.mishaps import SERVER, Owner, owner, until_read

pytestmark = pytest.mark.hosts
APP = "bad-ends"
HERE = ("-a", f"hosts/{APP}")
DEPLOY = ("deployer", "deploy", *HERE)
PUSH = ("git", "push", "deployer", "main")
PATIENT = '{"healthchecks": {"timeout": 60}}'
NEVER_UP = {"Procfile": "web: echo thinking; sleep 3141\n", "app_dot_json": PATIENT}
SLOW = SERVER.replace(
    "    def do_GET(self):\n", "    def do_GET(self):\n        time.sleep(4 * (self.path == '/slow'))\n"
).replace("json, os", "json, os, time")
NEVER_BUILT = {"bin__post_compile": "#!/bin/sh\necho compiling; sleep 3141\n"}


@pytest.fixture(scope="module")
def tom(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    person = owner(tmp_path_factory.mktemp("ends") / APP, APP, sandbox)
    person.types("deployer", "ps:scale", "web=2", *HERE)
    person.types("git", "init", "-q", "-b", "main")
    person.types("deployer", "git:remote", *HERE)
    yield person
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


@pytest.fixture(autouse=True)
def the_next_deploy_works(tom: Owner) -> Iterator[None]:
    """Whatever was interrupted: the next one deploys."""
    yield
    tom.deploys(again_dot_py=secrets.token_hex())
    tom.sees(f"GREETING from v{tom.newest}")
    assert sleepers() == []


def test_an_interrupt_during_the_build_ends_it_with_all_its_processes(tom: Owner) -> None:
    tom.writes(**NEVER_BUILT)
    said = interrupted(tom, DEPLOY, "compiling")
    tom.told_still_serving(said, tom.current)
    assert sleepers() == []


def test_an_interrupt_while_the_slug_is_sent_leaves_nothing_half_sent(tom: Owner, sandbox: Sandbox) -> None:
    tom.writes()
    (tom.folder / "big.bin").write_bytes(secrets.token_bytes(120 << 20))
    arriving = sandbox.folder / "hosts"
    said = interrupted(
        tom, DEPLOY, "Shipping to 2 hosts", lambda: any(arriving.glob(f"*/srv/deployer/apps/{APP}/incoming/*"))
    )
    assert "new file" not in said, "it was sent before the interrupt came"
    tom.told_still_serving(said, tom.current)


def test_an_interrupt_during_the_boot_stops_the_new_dynos_on_every_host(tom: Owner) -> None:
    tom.writes(**NEVER_UP)
    said = interrupted(tom, DEPLOY, "Launching web.1, web.2")
    tom.told_still_serving(said, tom.current)


def test_a_second_interrupt_during_the_undoing_does_not_stop_it(tom: Owner) -> None:
    tom.writes(**NEVER_UP)
    said = interrupted(tom, DEPLOY, "Launching web.1, web.2", again=0.03)
    tom.told_still_serving(said, tom.current)


def test_an_interrupt_of_a_config_change_takes_the_vars_back(tom: Owner) -> None:
    tom.deploys(Procfile='web: test -z "$SLEEPS" || sleep 3141; exec python server.py\n', app_dot_json=PATIENT)
    interrupted(
        tom, ("deployer", "config:set", "SLEEPS=1", *HERE), "Setting SLEEPS", lambda: "starting" in _states(tom)
    )


def test_an_interrupted_release_command_comes_to_its_end_before_the_next_one_begins(
    tom: Owner, sandbox: Sandbox
) -> None:
    """Half a migration is worse than none, and two at a time are worse still."""
    tom.writes(Procfile="web: python server.py\nrelease: echo migrating; sleep 6; echo migrated\n")
    current, process = tom.current, tom.starts(*DEPLOY)
    until_read(process, "migrating")
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1].decode()
    assert "The release command comes to its end by itself: `deployer releases:output v" in said
    tom.told_still_serving(said, current)
    failed = tom.newest
    next_one = tom.deploys(Procfile="web: python server.py\nrelease: echo second\n")
    assert f"Waiting for bad-ends.release.1.v{failed}, a release command that is still at work." in next_one
    assert "migrated" in tom.types("deployer", "releases:output", f"v{failed}", *HERE).stdout
    assert not [trace for trace in tom.looks()["traces"] if ".release." in trace]


@pytest.mark.parametrize(
    ("files", "text"), [(NEVER_BUILT, "compiling"), (NEVER_UP, "Launching web.1, web.2")], ids=["build", "boot"]
)
def test_an_interrupted_push_is_undone_and_moves_no_ref(tom: Owner, files: dict[str, str], text: str) -> None:
    tom.writes(**files)
    tom.commits()
    interrupted(tom, PUSH, text, status=None)
    assert tom.types("git", "ls-remote", ".git/deployer/hosts/bad-ends.git").stdout == ""
    tom.writes()
    tom.commits(again=secrets.token_hex())
    tom.types(*PUSH)


def test_a_command_that_is_killed_is_undone_by_the_next_one(tom: Owner) -> None:
    tom.writes(**NEVER_UP)
    process = tom.starts(*DEPLOY)
    until_read(process, "Launching web.1, web.2")
    process.kill()
    process.communicate()
    current = tom.current
    said = tom.deploys(after_dot_py=secrets.token_hex())
    assert "Undoing a deploy of v" in said
    assert tom.current == current + 2


def test_after_the_commit_an_interrupt_lets_it_come_to_its_end(tom: Owner) -> None:
    """A request that the old dyno still answers holds up the retiring; meanwhile the new one serves."""
    tom.deploys(server_dot_py=SLOW)
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(tom.asks("/slow")))
    slow.start()
    tom.writes(server_dot_py=SLOW, fresh_dot_py="1")
    process, wanted = tom.starts(*DEPLOY), tom.newest + 1
    tom.sees(f"GREETING from v{wanted}", patience=30)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said
    slow.join()
    assert answers[0] == (200, f"GREETING from v{wanted - 1}")
    assert tom.current == wanted


def interrupted(
    tom: Owner,
    words: tuple[str, ...],
    text: str,
    when: Callable[[], bool] = lambda: True,
    *,
    status: int | None = 130,
    again: float | None = None,
) -> str:
    """Begin a command, press Ctrl-C when it has said `text` and `when` holds; all that it said. Nothing changes."""
    with tom.unchanged():
        process = tom.starts(*words)
        said = until_read(process, text)
        deadline = time.monotonic() + 20
        while not when():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        if again is not None:
            time.sleep(again)
            os.killpg(process.pid, signal.SIGINT)
        said += _end(process)
    ended = process.returncode if process.returncode >= 0 else 128 - process.returncode  # as a shell says it
    assert status in (None, ended), said
    assert "Interrupted." in said
    return said


def _end(process: subprocess.Popen[bytes]) -> str:
    return process.communicate(timeout=60)[1].decode()


def _states(tom: Owner) -> list[str]:
    return [dyno[3] for dyno in tom.looks()["dynos"]]


def sleepers() -> list[str]:
    """Processes of these tests that should be gone, on this machine and in its sandboxes."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if words == b"sleep\x003141\x00":
            found.append(place.name)
    return found
