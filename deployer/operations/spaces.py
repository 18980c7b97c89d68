"""Spaces: made, started, described, taken down. Sandboxes here; rented machines in `rented` and `rented_hosts`."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from deployer.build import platform_image
from deployer.errors.base import Failure
from deployer.errors.spaces import (
    BadPlatform,
    BadSpaceName,
    HostNotReady,
    NoSuchHost,
    NotASandbox,
    SpaceExists,
    SpaceFolderGone,
)
from deployer.model import platforms
from deployer.model.events import Doing, Done, Tell
from deployer.model.names import is_space_name
from deployer.model.platforms import DEFAULT_SYSTEM, SYSTEMS, Platform
from deployer.model.space import Host, Pointer, Space, StoreAddress
from deployer.operations import rented_hosts, stores
from deployer.operations.prepare import prepare_host
from deployer.operations.roll_call import tell_first_roll
from deployer.operations.session import whoami
from deployer.remote.acknowledged import AcknowledgedStore
from deployer.remote.agent import Session, connect
from deployer.remote.fan_out import fan_out
from deployer.remote.person import NOBODY, Person
from deployer.spaces import pointers
from deployer.spaces.sandbox import sandbox as sandboxes
from deployer.spaces.sandbox import traces
from deployer.spaces.sandbox.sandbox import Order, Sandbox
from deployer.store.base import Store
from deployer.store.ledger import Ledger
from deployer.version import VERSION

Prepare = Callable[[Session, Sequence[Host], int, Tell], None]
EPOCH = 1
READY_PATIENCE = 90.0  # seconds; a host's dynos start with it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `spaces:create` is asked for. `port` is the front's, None for the first free one; `store` is where
    the ledger is to lie, None for the first host."""

    name: str
    platform: str
    hosts: int = 1
    port: int | None = None
    store: StoreAddress | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """How to ask for the same."""
        options = {
            "--hosts": (self.hosts, 1),
            "--platform": (self.platform, DEFAULT_SYSTEM),
            "--port": (self.port, None),
            "--store": (self.store and f"s3://{self.store.bucket}/{self.store.prefix}", None),
            "--store-endpoint": (self.store and self.store.endpoint, None),
            "--store-region": (self.store and self.store.region, None),
        }
        given = (word for name, (value, usual) in options.items() if value != usual for word in (name, str(value)))
        return "spaces:create", self.name, *given


@dataclass(frozen=True, slots=True)
class HostState:
    """A host and whether it runs."""

    host: Host
    is_up: bool

    @property
    def word(self) -> str:
        """`up`, `down`, or `left out`: it does not count, whether it runs or not."""
        return "left out" if self.host.out else "up" if self.is_up else "down"


@dataclass(frozen=True, slots=True)
class SpaceInfo:
    """What `spaces:info` shows. `apps` is None where the space does not answer."""

    pointer: Pointer
    platform: str
    url: str
    hosts: tuple[HostState, ...]
    apps: tuple[str, ...] | None


def create(wanted: Wanted, tell: Tell, prepare: Prepare = prepare_host) -> Space:
    """Make a sandbox that apps can be deployed to; nothing of it is left where that fails."""
    platform = _check(wanted)
    sandboxes.check_machine(*wanted.words)
    store = stores.claim(wanted.store) if wanted.store else None
    image = platform_image.ensure(platform, "host", tell)
    tell(Doing(f"Creating space {wanted.name}"))
    sandbox = sandboxes.create(Order(wanted.name, str(platform), image, wanted.hosts, wanted.port))
    tell(Done(_counted(wanted.hosts)))
    try:
        space = _open(sandbox, store, tell, prepare)
        pointers.save(replace(sandbox.pointer(), store=wanted.store, epoch=EPOCH))
        sandbox.complete()
    except BaseException:
        sandbox.destroy()
        stores.clear(wanted.store)
        raise
    return space


def start(name: str, tell: Tell) -> None:
    """Boot what does not run."""
    sandbox = sandbox_of(name)
    sandboxes.check_machine("spaces:start", name)
    tell(Doing(f"Starting space {name}"))
    sandbox.start()
    tell(Done(_counted(len(sandbox.hosts))))


def stop(name: str, tell: Tell) -> None:
    """Shut a space down; its disks stay."""
    sandbox = sandbox_of(name)
    sandboxes.check_root("spaces:stop", name)
    tell(Doing(f"Stopping space {name}"))
    sandbox.stop()
    tell(Done())


def destroy(name: str, tell: Tell, person: Person = NOBODY, *, data: bool = True) -> None:
    """Remove a space with all that is in it; from rented hosts, what is ours, and with `data` also databases. Can be
    repeated after any failure."""
    pointer = pointers.load(name)
    if pointer.kind == "ssh":
        rented_hosts.give_back(pointer, person, tell, data=data)
        return
    check_destroy(pointer)
    tell(Doing(f"Destroying space {name}"))
    if pointer.folder:
        sandboxes.destroy(Path(pointer.folder))
    stores.forget(pointer)
    tell(Done())


def check_destroy(pointer: Pointer) -> None:
    """Refuse, before anything is asked, whoever may not destroy a space."""
    if pointer.folder and (Path(pointer.folder).exists() or traces.exist(Path(pointer.folder))):
        sandboxes.check_root("spaces:destroy", pointer.name)


def spaces() -> list[Pointer]:
    """Every space that this machine knows."""
    return [pointers.load(name) for name in pointers.names()]


def info(name: str, person: Person = NOBODY) -> SpaceInfo:
    """Describe a space, whether it runs or not."""
    pointer = pointers.load(name)
    if pointer.kind == "ssh":
        known = rented_hosts.look(pointer, person)
        states = tuple(HostState(host, is_up) for host, is_up in known.hosts)
        platform, url = (known.space.platform, known.space.url) if known.space else ("", "")
        return SpaceInfo(pointer, platform, url, states, known.apps)
    sandbox = sandbox_of(name)
    states = hosts(name)
    return SpaceInfo(pointers.load(name), sandbox.record.platform, sandbox.url, states, apps(name))


def apps(name: str) -> tuple[str, ...] | None:
    """The apps in a space, by name; None where it does not answer."""
    try:
        with stores.opened(pointers.load(name)) as store:
            return tuple(app.name for app in Ledger(store, whoami()).apps())
    except Failure:
        return None


def inside(name: str, person: Person = NOBODY) -> str:
    """What would go with a space, in words; SandboxNeedsRoot for somebody who could not destroy it."""
    pointer = pointers.load(name)
    if pointer.kind == "ssh":
        return _in_words(rented_hosts.look(pointer, person).apps)
    check_destroy(pointer)
    if not pointer.folder or not Path(pointer.folder, "sandbox.json").exists():
        return "nothing of it is left but its name"
    return _in_words(apps(name))


def _in_words(found: tuple[str, ...] | None) -> str:
    if found is None:
        return "its apps are not known, since it does not answer"
    return f"its apps {', '.join(found)} and their data" if found else "it has no apps"


def hosts(name: str, person: Person = NOBODY) -> tuple[HostState, ...]:
    """The hosts of a space, by seat."""
    pointer = pointers.load(name)
    if pointer.kind != "sandbox":
        return tuple(HostState(host, is_up) for host, is_up in rented_hosts.look(pointer, person).hosts)
    sandbox = sandbox_of(name)
    running, known = sandbox.running(), _known_hosts(pointer)
    return tuple(HostState(known.get(host.id, host), running[host.id]) for host in sandbox.hosts)


def _known_hosts(pointer: Pointer) -> dict[str, Host]:
    """The hosts as the ledger knows them, by id; none where it does not answer."""
    try:
        with stores.opened(pointer) as store:
            return {host.id: host for host in Ledger(store, whoami()).hosts()}
    except Failure:
        return {}


def reboot(name: str, chosen: Sequence[str], tell: Tell, person: Person = NOBODY) -> None:
    """Reboot hosts, one after another: the next one when the front can use the last one again."""
    pointer = pointers.load(name)
    if pointer.kind != "sandbox":
        rented_hosts.reboot(pointer, chosen, person, tell)
        return
    sandbox = sandbox_of(name)
    sandboxes.check_root("hosts:reboot", "--space", name, *chosen)
    known = {host.id: host for host in sandbox.hosts}
    for unknown in set(chosen) - set(known):
        raise NoSuchHost(unknown, name, ", ".join(known))
    for host in chosen or known:
        was_ready = is_ready(known[host])
        tell(Doing(f"Rebooting {host}"))
        sandbox.reboot(host)
        if was_ready:
            wait_until_ready(known[host])
        tell(Done())


def sandbox_of(name: str) -> Sandbox:
    """The sandbox of that name; NotASandbox where the space is of another kind."""
    pointer = pointers.load(name)
    if pointer.kind != "sandbox" or pointer.folder is None:
        raise NotASandbox(name, pointer.kind)
    if not Path(pointer.folder, "sandbox.json").exists():
        raise SpaceFolderGone(name, pointer.folder)
    return Sandbox(Path(pointer.folder))


def is_ready(host: Host) -> bool:
    """Whether a host's router takes requests."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, urllib.error.URLError), opener.open(f"http://{host.address}/-/ready", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def _check(wanted: Wanted) -> Platform:
    if not is_space_name(wanted.name):
        raise BadSpaceName(wanted.name)
    if wanted.name in pointers.names():
        raise SpaceExists(wanted.name)
    try:
        return platforms.parse(wanted.platform)
    except ValueError as error:
        raise BadPlatform(wanted.platform, ", ".join(SYSTEMS)) from error


def _open(sandbox: Sandbox, store: Store | None, tell: Tell, prepare: Prepare) -> Space:
    """Prepare its hosts and write its ledger into the store, or into the first host's."""
    with _connected(sandbox) as sessions:
        tell(Doing(f"Preparing {', '.join(host.id for host in sandbox.hosts)}"))
        fan_out(sessions, lambda session: prepare(session, sandbox.hosts, EPOCH, tell))
        tell(Done())
        ledger = Ledger(store or AcknowledgedStore(sessions[0], lambda: sessions[1:], lambda: EPOCH), whoami())
        record = sandbox.record
        tell_first_roll(sessions)
        space = Space(
            record.name, "sandbox", record.platform, sandbox.url, ledger.timestamp(), VERSION, EPOCH, roll=1, called=1
        )
        ledger.save_space(space)
        for host in sandbox.hosts:
            ledger.take_seat(host.id)
            ledger.save_host(host)
        ledger.audit("spaces:create")
    return space


@contextmanager
def _connected(sandbox: Sandbox) -> Iterator[list[Session]]:
    sessions: list[Session] = []
    try:
        for host in sandbox.hosts:
            sessions.append(connect(host, sandbox.identity))
        yield sessions
    finally:
        for session in sessions:
            session.close()


def wait_until_ready(host: Host) -> None:
    """Wait until a host's router takes requests; HostNotReady."""
    deadline = time.monotonic() + READY_PATIENCE
    while not is_ready(host):
        if time.monotonic() > deadline:
            raise HostNotReady(host.id, READY_PATIENCE)
        time.sleep(0.1)


def _counted(hosts: int) -> str:
    return "1 host" if hosts == 1 else f"{hosts} hosts"
