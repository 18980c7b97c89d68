"""Dynos that crash again and again: said at once to users, whichever host's router they come to, and over as soon as a
release comes that does not."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from functools import partial

import pytest

from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted
from tests.hosts.machine import Machine
from tests.hosts.outside import wait_until

pytestmark = pytest.mark.hosts
TRIGGER = "/etc/deployer-test-crashes"  # on its host, where a dyno can read: as long as it is there, the app crashes
PROGRAM = """
import os, threading, time
from app import main

def crash():
    while not os.path.exists("TRIGGER"):
        time.sleep(0.1)
    os._exit(1)

threading.Thread(target=crash, daemon=True).start()
main(int(os.environ["PORT"]), os.environ["HEROKU_RELEASE_VERSION"], 0.1)
"""


@pytest.fixture
def ivy(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path_factory.mktemp("crashes") / "ivy", "ivy", sandbox.record.port)
    person.furnishes()
    (person.folder / "wsgi.py").write_text(PROGRAM.replace("TRIGGER", TRIGGER))
    (person.folder / "Procfile").write_text("web: python3 wsgi.py\n")
    person.types("deployer", "create", person.app, "--space", "hosts", "--no-remote")
    person.types("deployer", "deploy", *person.here)
    person.sees("v2 ")
    try:
        yield person
    finally:
        _everywhere(sandbox, f"rm -f {TRIGGER}")
        person.closes()


def test_an_app_that_crashes_again_and_again_is_answered_for_at_once_until_it_is_mended(
    ivy: Afflicted, sandbox: Sandbox
) -> None:
    _everywhere(sandbox, f"touch {TRIGGER}")
    wait_until(lambda: "crashed" in ivy.types("deployer", "ps", *ivy.here).stdout, 90, "crashes in a row")
    for host in sandbox.hosts:
        wait_until(partial(_says_crashed, host.private_address, ivy.app), 90, f"H10 of {host.id}")
    log = ivy.types("deployer", "logs", *ivy.here, "-n", "500").stdout
    for line in ("State changed from up to crashed", "Process exited with status 1", "code=H10", "App crashed"):
        assert line in log, line
    _everywhere(sandbox, f"rm {TRIGGER}")
    ivy.types("deployer", "ps:restart", *ivy.here)
    for host in sandbox.hosts:
        status, page = _ask(host.private_address, ivy.app)
        assert status == 200, f"{host.id}: {page}"
    ivy.is_whole(10)


def _everywhere(sandbox: Sandbox, script: str) -> None:
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            Machine(session).run(script)


def _says_crashed(address: str, app: str) -> bool:
    """Whether a host's router says so without letting the request wait for long."""
    began = time.monotonic()
    status, page = _ask(address, app)
    return status == 503 and "H10" in page and time.monotonic() - began < 5


def _ask(address: str, app: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, 80, timeout=90)
    try:
        connection.request("GET", "/", headers={"Host": f"{app}.localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
