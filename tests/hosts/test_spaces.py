"""The commands of spaces, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.operations import spaces
from deployer.spaces.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.hosts


def deployer(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployer.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def answer_of(*words: str) -> object:
    done = deployer(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_space_from_its_creation_to_its_end(home: Path) -> None:
    created = deployer("spaces:create", "day", "--verbose")
    assert created.returncode == 0, created.stderr
    assert "day-h1: " in created.stderr
    url = created.stdout.strip()
    info = answer_of("spaces:info", "day")
    assert isinstance(info, dict)
    assert info["apps"] == []
    assert info["url"].replace("{app}", "APP") == url
    assert deployer("spaces:stop", "day").returncode == 0
    assert answer_of("hosts", "--space", "day") == [{**info["hosts"][0], "state": "down"}]
    assert "does not answer" in deployer("spaces:info", "day").stdout
    assert deployer("spaces:start", "day").returncode == 0
    assert answer_of("spaces:info", "day") == info
    unasked = deployer("spaces:destroy", "day")
    assert (unasked.returncode, "it has no apps" in unasked.stderr) == (2, True)
    assert deployer("spaces:destroy", "day", "--confirm", "day").returncode == 0
    assert "day" not in [space["name"] for space in answer_of("spaces")]  # type: ignore[attr-defined]
    assert not list(home.glob("data/sandbox/day"))


def test_hosts_reboot_one_after_another_and_the_front_finds_them_again(space: Pointer, sandbox: Sandbox) -> None:
    rebooted = deployer("hosts:reboot", "--space", space.name)
    assert rebooted.stderr.splitlines() == ["Rebooting hosts-h1... done", "Rebooting hosts-h2... done"]
    assert all(spaces.is_ready(host) for host in sandbox.hosts)
    with pytest.raises(urllib.error.HTTPError, match="404"):  # the router's own answer: there is no such app
        urllib.request.urlopen(sandbox.url.replace("{app}.localhost", "127.0.0.1"), timeout=5)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("spaces:create", "Not_a_name"), 2, "`Not_a_name` cannot name a space."),
        (("spaces:create", "hosts"), 1, "There is a space hosts already."),
        (("spaces:create", "other", "--platform", "debian-9"), 2, "There is no platform `debian-9`."),
        (("spaces:create", "other", "--hosts", "0"), 2, "--hosts"),
        (("spaces:create", "other", "--port", "{port}"), 1, "is taken by another program"),
        (("spaces:start", "unknown"), 1, "Couldn't find the space unknown."),
        (("spaces:destroy", "hosts", "--confirm", "hots"), 1, "Confirmation did not match hosts."),
        (("hosts:reboot", "hosts-h9", "--space", "hosts"), 1, "hosts has no host hosts-h9."),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    space: Pointer, sandbox: Sandbox, words: tuple[str, ...], status: int, said: str
) -> None:
    done = deployer(*(word.format(port=sandbox.record.port) for word in words))
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert sandbox.folder.parent.joinpath("other").exists() is False
    assert set(sandbox.running().values()) == {True}
