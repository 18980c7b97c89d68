"""Hosts that are no machines of this one, rented or in AWS: which of them answer, rebooted; rented ones given back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from deployer.errors.base import Failure
from deployer.errors.hosts import NoHostHasJoined
from deployer.errors.rented import HostsLeft
from deployer.errors.spaces import HostNotReady, NoSuchHost
from deployer.model.events import Detail, Doing, Done, Step, Tell
from deployer.model.space import Host, Pointer, Space
from deployer.operations import stores
from deployer.operations.dialling import Connect, dialler
from deployer.operations.first_host import MOST_AT_ONCE, hosts_of
from deployer.operations.session import open_space
from deployer.remote.agent import Session
from deployer.remote.connection import Broken
from deployer.remote.fan_out import fan_out
from deployer.remote.person import Person

READY_PATIENCE = 300.0  # seconds; a real machine takes a minute to boot
READY = ["curl", "-s", "-o", "/dev/null", "--max-time", "5", "-w", "%{http_code}", "http://127.0.0.1/-/ready"]
# When PID 1 began tells a container's boots apart, too.
BOOT = ["sh", "-c", "cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 22 /proc/1/stat"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a space, or this machine knows, and which of its hosts answer. Without an answer of the
    first one `space` and `apps` are None."""

    hosts: tuple[tuple[Host, bool], ...]
    space: Space | None = None
    apps: tuple[str, ...] | None = field(default=None)


def look(pointer: Pointer, person: Person) -> Known:
    """Ask the ledger, and try each host."""
    connect = dialler(pointer, person)
    try:
        with open_space(pointer, connect) as space:
            apps = tuple(app.name for app in space.ledger.apps())
            return Known(_tried(connect, space.registered()), space.space, apps)
    except NoHostHasJoined:
        raise
    except Failure:
        return Known(_tried(connect, hosts_of(pointer)))


def _tried(connect: Connect, hosts: Sequence[Host]) -> tuple[tuple[Host, bool], ...]:
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        answers = list(threads.map(lambda host: _answers(connect, host), hosts))
    return tuple(zip(hosts, answers, strict=True))


def _answers(connect: Connect, host: Host) -> bool:
    try:
        connect(host).close()
    except Failure:
        return False
    return True


def reboot(pointer: Pointer, chosen: Sequence[str], person: Person, tell: Tell) -> None:
    """Reboot hosts, one after another: the next one when the last one's router takes requests again."""
    connect = dialler(pointer, person)
    with open_space(pointer, connect) as space:
        known = {host.id: host for host in space.registered()}
    for unknown in set(chosen) - set(known):
        raise NoSuchHost(unknown, pointer.name, ", ".join(known))
    for name in chosen or known:
        tell(Doing(f"Rebooting {name}"))
        _reboot(connect, known[name])
        tell(Done())


def _reboot(connect: Connect, host: Host) -> None:
    with connect(host) as session:
        was_ready = is_ready(session)
        before = session.run(BOOT).printed
        with suppress(Broken):  # the connection ends with the machine
            session.run(["systemctl", "reboot"])
    _await(host, lambda: _is_back(connect, host, before, ready=was_ready))


def _await(host: Host, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise HostNotReady(host.id, READY_PATIENCE)
        time.sleep(0.5)


def _is_back(connect: Connect, host: Host, before: str, *, ready: bool) -> bool:
    with suppress(Failure, Broken), connect(host) as session:
        now = session.run(BOOT).printed
        return now not in ("", before) and (not ready or is_ready(session))
    return False


def wait_until_ready(session: Session) -> None:
    """Wait until a host's router takes requests; HostNotReady."""
    _await(session.host, lambda: is_ready(session))


def is_ready(session: Session) -> bool:
    """Whether a host's router takes requests, asked on the host itself: from here it may not be reached."""
    return session.run(READY, as_root=False).printed == "200"


def give_back(pointer: Pointer, person: Person, tell: Tell, *, data: bool) -> None:
    """Take everything of ours off the hosts, and forget the space; HostsLeft, before anything is removed, where one
    does not answer. `data`: databases too. Can be repeated; the first host, which has the ledger, is the last one."""
    connect = dialler(pointer, person)
    with open_space(pointer, connect) as space:
        hosts = space.ledger.hosts()
        first_host = space.first.host.id if pointer.store is None else None
        sessions, failed = _connected(connect, hosts)
    try:
        if failed:
            raise HostsLeft(pointer.name, "\n".join(failed))
        tell(Step(f"Taking what is deployer's off {', '.join(host.id for host in hosts)}"))
        first = [session for session in sessions if session.host.id == first_host]
        others = [session for session in sessions if session not in first]
        for group in (others, first):
            fan_out(group, lambda session: dismantle(session, tell, data=data))
    finally:
        for session in sessions:
            session.close()
    stores.forget(pointer)


def _connected(connect: Connect, hosts: Sequence[Host]) -> tuple[list[Session], list[str]]:
    sessions, failed = [], []
    for host in hosts:
        try:
            sessions.append(connect(host))
        except Failure as failure:
            failed.append(f"{host.id}: {failure.paragraphs()[0]}")
    return sessions, failed


def dismantle(session: Session, tell: Tell, *, data: bool) -> None:
    """Take everything of ours off a host, and say what; `data`: databases and copies of the ledger, too."""
    session.call("dismantle", {"data": data}, lambda message, _: tell(Detail(f"{session.host.id}: {message['what']}")))
    session.end_agent()  # its own files went, too: whoever goes on here installs it anew
