"""Hosts that are full, gone or not who they were, and apps that somebody else is changing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces import pointers
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.machine import Machine
from tests.hosts.mishaps import ANOTHER_KEY, Owner, another_key_in_ledger, owner, until_read

pytestmark = pytest.mark.hosts
APP = "bad-hosts"
HERE = ("-a", f"hosts/{APP}")
SMALL = """
set -e
umount -l /srv/deployer/{place} 2> /dev/null || true
rm -rf /root/copy; cp -a /srv/deployer/{place} /root/copy
mount -t tmpfs -o size=$(($(du -sm /root/copy | cut -f1) + {spare}))m,mode=$(stat -c %a /root/copy) \
    small /srv/deployer/{place}
cp -a /root/copy/. /srv/deployer/{place}/; rm -rf /root/copy
"""
FULL = (
    "mkdir /srv/deployer/{place}/filler; dd if=/dev/zero of=/srv/deployer/{place}/filler/x bs=4k 2> /dev/null || true"
)


@pytest.fixture(scope="module")
def kim(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """A person whose app has a dyno on each of the two hosts."""
    person = owner(tmp_path_factory.mktemp("hosts") / APP, APP, sandbox)
    person.types("deployer", "ps:scale", "web=2", *HERE)
    yield person
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


@contextmanager
def small_disk(sandbox: Sandbox, host: int, place: str, spare: int = 1, *, full: bool = False) -> Iterator[None]:
    """A folder of deployer's on a disk with `spare` MiB left, or nothing at all."""
    with connect(sandbox.hosts[host], sandbox.identity) as session:
        machine = Machine(session)
        machine.run(SMALL.format(place=place, spare=spare) + (FULL.format(place=place) if full else ""))
        try:
            yield
        finally:
            machine.run(f"umount -l /srv/deployer/{place}")


@pytest.mark.parametrize("host", [0, 1])
def test_a_slug_that_does_not_fit_is_refused_with_numbers(kim: Owner, sandbox: Sandbox, host: int) -> None:
    with small_disk(sandbox, host, f"apps/{APP}", spare=70):
        kim.fails_to_deploy(
            f"Host hosts-h{host + 1} has no room for this release.",
            "bytes, and",
            "Make room there, or take a larger disk",
            big_dot_bin=f"0123456789abcde{host}" * (1 << 20),
        )


def test_a_disk_that_is_full_to_the_brim_is_called_full(kim: Owner, sandbox: Sandbox) -> None:
    with small_disk(sandbox, 1, f"apps/{APP}", full=True):
        kim.fails_to_deploy("The disk of host hosts-h2 is full.", fresh_dot_py="1")


def test_a_full_disk_below_dynos_undoes_what_the_other_host_has_booted(kim: Owner, sandbox: Sandbox) -> None:
    with small_disk(sandbox, 0, "dynos", full=True):
        kim.fails_to_deploy(
            "Host hosts-h1 has no room for this release.",
            "/srv/deployer/dynos needs",
            ", and 0 are free",
            fresh_dot_py="2",
        )


def test_a_full_disk_below_the_ledger_is_said_and_nothing_begins(kim: Owner, sandbox: Sandbox) -> None:
    with small_disk(sandbox, 0, "store", full=True):
        kim.fails_to_deploy("The disk of host hosts-h1 is full.", "No space left on device, in `store`.")


def test_a_host_that_is_down_is_named_before_anything_changes(kim: Owner, sandbox: Sandbox) -> None:
    current, newest = kim.current, kim.newest
    Running(sandbox.folder, sandbox.record, sandbox.record.machines[1]).stop()
    try:
        kim.writes(fresh_dot_py="2")
        for words in (("deploy",), ("config:set", "A=1"), ("rollback",), ("ps:scale", "web=1")):
            said = kim.types("deployer", *words, *HERE, status=1).stderr
            assert "No answer from hosts-h2. Nothing was changed." in said
            assert "python" not in said.lower(), "nothing was built"
            kim.told_still_serving(said, current)
        assert kim.asks()[0] == 200
    finally:
        sandbox.start()
    assert (kim.current, kim.newest) == (current, newest)


def test_a_host_with_another_key_gets_nothing(kim: Owner) -> None:
    with another_key_in_ledger():
        said = kim.types("deployer", "deploy", *HERE, status=1).stderr
    for text in ("Host hosts-h2 is not the one that this space knows.", ANOTHER_KEY, "ssh-keygen -lf"):
        assert text in said
    kim.told_still_serving(said, kim.current)


def test_a_first_host_with_another_key_is_not_even_asked_for_the_ledger(kim: Owner) -> None:
    mine = pointers.load("hosts")
    pointers.save(replace(mine, first=replace(mine.first, host_key=ANOTHER_KEY)))
    try:
        said = kim.types("deployer", "releases", *HERE, status=1).stderr
    finally:
        pointers.save(mine)
    assert "Host hosts-h1 is not the one that this space knows. Nothing was sent to it." in said


def test_a_change_beside_another_one_is_refused_or_waits(kim: Owner) -> None:
    kim.writes(Procfile='web: python server.py\nrelease: test "$A" || sleep 4\n')
    newest = kim.newest
    other = kim.starts("deployer", "deploy", *HERE)
    until_read(other, "Running release command")
    current = kim.current
    words = ("deployer", "config:set", "A=1", *HERE)
    said = kim.is_refused(*words, says=(" is changing ⬢ bad-hosts.", f"`deploy` (process {other.pid})", "with --wait"))
    kim.told_still_serving(said, current)
    waited = kim.types(*words, "--wait", "60").stderr
    assert "Waiting for " in waited
    assert "who is changing ⬢ bad-hosts: `deploy`" in waited
    assert other.wait() == 0
    assert kim.current == newest + 2
    other.communicate()
