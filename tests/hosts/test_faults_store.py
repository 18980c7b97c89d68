"""A store that cannot be written, clocks that are wrong, links that are slow: the app serves on, changes are whole."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench.slow_link import Link, slow_links
from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted, all_served, living
from tests.hosts.machine import Machine
from tests.hosts.processes import end, frozen

pytestmark = [pytest.mark.hosts, pytest.mark.faults]
STORE = "/srv/deployer/store"
BREAKS = {
    "read-only": f"mount --bind {STORE} {STORE} && mount -o remount,bind,ro {STORE}",
    "full": f"""
        mkdir -p /run/full && mount -t tmpfs -o size=16m tmpfs /run/full && cp -a {STORE}/. /run/full/
        dd if=/dev/zero of=/run/full/.filler bs=4k status=none 2>/dev/null
        mount --bind /run/full {STORE}
        """,
}
MENDS = {"read-only": f"umount {STORE}", "full": f"umount {STORE}; umount /run/full"}
SAYS = {"read-only": "can only be read", "full": "is full"}
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@pytest.fixture(scope="module")
def ada(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    with living(tmp_path_factory.mktemp("hosts") / "quay", sandbox.record.port) as person:
        yield person


@pytest.fixture(autouse=True)
def users(ada: Afflicted) -> Iterator[None]:
    """Users who ask during the whole test, and lose nothing."""
    with all_served(ada):
        yield


@contextmanager
def broken(sandbox: Sandbox, how: str) -> Iterator[None]:
    """The first host's store cannot be written for as long as the block takes."""
    with connect(sandbox.hosts[0], sandbox.identity) as session:
        machine = Machine(session)
        machine.run(BREAKS[how])
        try:
            yield
        finally:
            machine.run(MENDS[how])


@pytest.mark.parametrize("how", BREAKS)
def test_a_store_that_cannot_be_written_is_named_and_nothing_changes(
    ada: Afflicted, sandbox: Sandbox, how: str
) -> None:
    before = ada.is_whole().current
    assert before
    with broken(sandbox, how):
        said = ada.types("deployer", *ada.words("config:set"), status=1).stderr
    assert SAYS[how] in said and f"v{before.release} still serving" in said, said
    assert ada.is_whole().current == before


@pytest.mark.parametrize("how", BREAKS)
def test_a_store_that_cannot_be_written_when_it_comes_to_the_commit(ada: Afflicted, sandbox: Sandbox, how: str) -> None:
    before, newest = ada.is_whole().current, ada.newest
    assert before
    deploy = frozen(ada, "before:put-current", *ada.words("deploy"))
    with broken(sandbox, how):
        deploy.send_signal(signal.SIGCONT)
        said = end(deploy, 1)
        assert SAYS[how] in said and f"v{before.release} still serving" in said, said
    ada.types("deployer", *ada.words("config:set"))
    assert ada.is_whole().current and ada.succeeded(newest + 1) is False


@pytest.mark.parametrize("off", ["+1h", "-1h"])
def test_a_laptop_whose_clock_is_wrong_by_an_hour(ada: Afflicted, home: Path, tmp_path: Path, off: str) -> None:
    """It neither takes a lease that is held, nor loses its own, nor does anybody else see more than odd dates."""
    assert FAKETIME, "the package faketime is missing"
    shutil.copytree(home / "home", tmp_path / "home")
    clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    bob = replace(ada, env={"DEPLOYER_HOME": str(tmp_path / "home"), **clock})
    first = frozen(ada, "before:boot", *ada.words("config:set"))
    refused = bob.types("deployer", *bob.words("config:set"), status=1).stderr
    assert f"process {first.pid}" in refused, refused
    first.send_signal(signal.SIGCONT)
    end(first, 0)
    bob.types("deployer", *bob.words("config:set"))
    ada.types("deployer", *ada.words("config:set"))
    ada.is_whole()


LINKS = {"40 ms": Link(0.04), "1 Mbit/s": Link(0.04, 125_000)}


@pytest.mark.parametrize("link", LINKS)
def test_over_a_slow_link_a_change_is_cut_off_and_finished(ada: Afflicted, sandbox: Sandbox, link: str) -> None:
    newest = ada.newest
    with slow_links(LINKS[link], [f"{host.address}:22" for host in sandbox.hosts]) as ports:
        slow = {"LINKS": json.dumps(dict(zip((host.id for host in sandbox.hosts), ports, strict=True)))}
        eve = replace(ada, env=slow)
        eve.types(*eve.meets("never:", "SIGKILL", *eve.words("deploy")))
        assert ada.succeeded(newest + 1)
        eve.types(*eve.meets("during:boot", "SIGKILL", *eve.words("deploy")), status=-signal.SIGKILL)
        eve.types(*eve.meets("never:", "SIGKILL", *eve.words("config:set")))
        assert ada.succeeded(newest + 2) is False
    ada.is_whole()
