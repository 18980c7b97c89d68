"""Hosts of a space in AWS replaced one after the other, with a visitor outside who asks on and on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from subprocess import CalledProcessError
from typing import Any

import pytest

from tests.box.box import Box, box
from tests.box.person import Person, at_work
from tests.box.scaling import states
from tests.box.test_hosts_die import dynos, visitor

REBOOT = """
import io, sys, time
sys.path.insert(0, "/srv/deployer/agent/current")
from deployer.host import myself, rebooting
from deployer.host.channel import Channel
from deployer.host.converge import alone
from deployer.host.paths import Paths
paths = Paths()
with alone(paths, wait=True):
    me = myself.who(myself.remembered(paths))
    channel = Channel(io.BytesIO(), sys.stdout.buffer, paths)
    print(rebooting.reboot(me, channel, time.time(), rebooting.boot_again))
"""
pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def here() -> Iterator[Box]:
    with box(hooks={"drain": 60}) as made:
        yield made


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with an app on two hosts behind a load balancer, a dyno on each and a worker."""
    with at_work(here, tmp_path_factory.mktemp("ada"), "shop", "python_flask_worker") as ada:
        ada.describes(2, "load-balancer = true")
        ada.brings_up()
        ada.types("ps:scale", "web=2", "worker=1")
        yield ada


@contextmanager
def beside(work: Callable[..., None], *facts: Any) -> Iterator[None]:
    """Something that is done at the same time, until the end of the block at most."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over, *facts))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def interrupt_when_one_goes(over: threading.Event) -> None:
    """Ctrl-C, as soon as a host hands over what it has."""
    while not over.wait(0.1):
        if any(one.lifecycle_state == "Terminating:Wait" for one in states()):
            os.kill(os.getpid(), signal.SIGINT)
            return


def count_machines(over: threading.Event, seen: set[int]) -> None:
    """How many the group has at a time."""
    while not over.wait(0.1):
        seen.add(len(list(states())))


def test_every_host_is_replaced_and_no_request_is_lost(ada: Person) -> None:
    here = ada.here
    old = {one.id for one in here.instances()}
    assert len({host for host, _ in dynos(ada)}) == 2, dynos(ada)
    ada.types("hosts:roll", "--space", "production", "--yes")
    assert "Nothing to do" in ada.err
    file = ada.folder / "deployer.toml"
    file.write_text(file.read_text().replace("t3.small", "t3.medium"))
    ada.types("up", "--space", "production", "--yes")
    assert {one.id for one in here.instances()} == old, "hosts that run stay"
    before = dynos(ada)
    with visitor(ada) as seen, beside(interrupt_when_one_goes), beside(count_machines, machines := set[int]()):
        ada.types("hosts:roll", "--space", "production", "--yes", status=130)
        assert "`deployer hosts:roll --space production` goes on from there" in ada.err
        ada.types("hosts:roll", "--space", "production", "--yes")
    assert seen[200] > 100 and seen.total() == seen[200], seen
    assert machines == {2, 3}, "one host too many, never more"
    assert len(here.instances()) == 2 and not old & {one.id for one in here.instances()}
    here.wait(lambda: {name for _, name in dynos(ada)} == {name for _, name in before}, 60)
    assert {one.instance.instance_type for one in states()} == {"t3.medium"}
    assert "i-" in ada.types("hosts", "--space", "production") and not any(one in ada.out for one in old)
    ada.types("hosts:roll", "--space", "production", "--yes")
    assert "Nothing to do" in ada.err


@pytest.mark.faults
def test_one_that_boots_again_loses_no_request(ada: Person) -> None:
    """As at night, where an update asks for it."""
    here = ada.here
    victim = here.instances()[0].id
    before = boot_of(here, victim)
    with visitor(ada) as seen:
        with suppress(CalledProcessError):  # it goes down beneath the command
            print(here.run(victim, "python3", "-I", "-c", REBOOT, patience=120))
        here.wait(lambda: boot_of(here, victim) not in ("", before), 60)
        here.wait(lambda: victim in ada.types("hosts", "--space", "production"), 60)
    assert seen[200] > 20 and seen.total() == seen[200], seen
    assert len(here.instances()) == 2


def boot_of(here: Box, instance: str) -> str:
    """Another one at each boot; empty while there is none."""
    with suppress(CalledProcessError, LookupError):
        return here.run(instance, "systemctl", "show", "--property=UserspaceTimestampMonotonic")
    return ""
