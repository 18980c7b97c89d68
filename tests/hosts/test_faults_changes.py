"""Hosts that come and go, cut off at every point: users notice nothing, and the next command finishes or undoes it.

The cases follow each other so that most find the hosts that they need: two for one that comes, and for one that goes a
third with a dyno.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.host import router_socket
from deployer.model.lease import Lease
from deployer.model.space import Pointer
from deployer.operations.session import OpenSpace
from deployer.operations.spaces import sandbox_of
from deployer.spaces.sandbox.front import socket_of
from deployer.spaces.sandbox.sandbox import Sandbox
from deployer.store import keys
from deployer.store.base import List
from deployer.store.lease import look
from tests.hosts.afflicted import SPACE, Afflicted, all_served, living
from tests.hosts.cases import HOST_CASES, NEW, HostCase
from tests.hosts.outside import wait_until

pytestmark = pytest.mark.hosts
INTERRUPTED = 130
TRIED = [pytest.param(one, id=one.id, marks=() if one.is_quick else pytest.mark.faults) for one in HOST_CASES]


@pytest.fixture(scope="module")
def may(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    with living(tmp_path_factory.mktemp("changes") / "may", sandbox.record.port) as person:
        yield person
        _make(person, there=False)


@pytest.mark.parametrize("case", TRIED)
def test_a_host_that_comes_or_goes_is_cut_off(may: Afflicted, case: HostCase) -> None:
    adds = case.command == "hosts:add"
    _make(may, there=not adds)
    with all_served(may):
        done = may.types(*may.meets(case.point, case.signal, *_words(may, case.command)), status=None)
        assert done.returncode == _status(case), done.stderr
        said = may.types("deployer", *_words(may, case.then)).stderr if case.then else ""
        there = case.then == "hosts:add" or adds == case.is_committed
        _is_whole(may, there=there, said=said)
        may.is_whole()
    assert "Going on without" not in said, said


def _words(may: Afflicted, command: str) -> list[str]:
    if command.startswith("hosts:"):
        return [command, *([NEW] if command == "hosts:remove" else []), "--space", SPACE]
    return may.words(command, fewer=True)


def _status(case: HostCase) -> int:
    """How the command ends."""
    return {"SIGKILL": -signal.SIGKILL, "CUT": 1}.get(case.signal, INTERRUPTED)


def _make(may: Afflicted, *, there: bool) -> None:
    """Have two hosts, or a third one with a dyno."""
    known = {host.id for host in sandbox_of(SPACE).hosts}
    if there and NEW not in known:
        may.types("deployer", "hosts:add", "--space", SPACE)
    if not there and NEW in known:
        may.types("deployer", "hosts:remove", NEW, "--space", SPACE)
    if there and NEW not in _where(may):
        may.types("deployer", "ps:scale", "web=3", *may.here)
        may.types("deployer", *may.words("deploy"))  # which places them anew
        assert NEW in _where(may)


def _where(may: Afflicted) -> set[str]:
    """The hosts with dynos."""
    return {dyno["host"] for dyno in json.loads(may.types("deployer", "ps", "--json", *may.here).stdout)}


def _is_whole(may: Afflicted, *, there: bool, said: str) -> None:
    """Whether this machine, the ledger and the front know the same hosts, and nothing is held, out or left behind."""
    sandbox = sandbox_of(SPACE)
    hosts = {host.id: host.address for host in sandbox.hosts}
    assert (NEW in hosts) == there, said
    assert {path.name for path in (sandbox.folder / "hosts").iterdir()} == set(hosts)
    with may.space() as space:
        known = space.ledger.hosts()
        assert {host.id: host.address for host in known} == hosts
        assert not [host for host in known if host.out or host.leaving]
        assert space.space.roll == space.space.called
        seats = space.ledger.store.batch([List(keys.SEATS)]).answers[0]
        assert seats == tuple(sorted(keys.seat(host.seat) for host in known))
        assert not [lease for lease in _leases(space) if Path(f"/proc/{lease.pid}").exists()]
    wait_until(lambda: _shown(sandbox) == set(hosts.values()), 5, "the front to know them")


def _leases(space: OpenSpace) -> list[Lease]:
    """Those that are held."""
    names = space.ledger.store.batch([List(keys.LEASES)]).answers[0]
    assert isinstance(names, tuple)
    seen = (look(space.ledger.store, name.removeprefix(keys.LEASES)) for name in names)
    return [found[0] for found in seen if found]


def _shown(sandbox: Sandbox) -> set[str]:
    """The addresses to which the front sends requests."""
    slots = router_socket.slots(socket_of(sandbox.record.tag), "hosts").values()
    return {slot.address for slot in slots if slot.up}
