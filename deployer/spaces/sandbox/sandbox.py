"""A space on this machine: real systemd hosts in network namespaces, and a front that plays the load balancer.

Everything that it has lies in its folder, or bears its tag in the kernel (`ip link`, `ip netns list`, /sys/fs/cgroup):
docs/sandbox.md says how to look at it by hand. `start` brings a sandbox back whatever a reboot, a kill or a
half-finished command left; `destroy` leaves nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deployer.build import folders, platform_image
from deployer.errors.spaces import (
    ImageGone,
    NoSuchHost,
    PortTaken,
    SandboxBusy,
    SandboxNeedsRoot,
    SandboxToolMissing,
    SpaceExists,
)
from deployer.model.space import Host, Pointer
from deployer.spaces.sandbox import network, sudo, traces
from deployer.spaces.sandbox import record as records
from deployer.spaces.sandbox.front import Front, free_port
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.process import note, noted
from deployer.spaces.sandbox.record import FIRST_ADDRESS, Machine, Record

TOOLS = {
    "ip": "iproute2",
    "systemd-nspawn": "systemd-container",
    "haproxy": "haproxy",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "mmdebstrap": "mmdebstrap",
}
MAKING = "making.json"  # which process is making it; gone when it is made
MOST_AT_ONCE = 16  # hosts that boot at the same time


@dataclass(frozen=True, slots=True)
class Order:
    """What to make. `port` is the front's; None for the first free one from 8080."""

    name: str
    platform: str
    image: Path
    hosts: int = 1
    port: int | None = None


class Sandbox:
    """The sandbox in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = records.load(folder)
        self.front = Front(folder, self.record)

    @property
    def identity(self) -> Path:
        """The private key that opens the hosts."""
        return self.folder / "id_ed25519"

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts, by seat."""
        return tuple(
            Host(machine.id, machine.number, machine.address, machine.address, machine.host_key)
            for machine in self.record.machines
        )

    @property
    def url(self) -> str:
        """Where apps answer; `{app}` stands for the app's name. Browsers and curl resolve names below localhost."""
        return f"http://{{app}}.localhost:{self.record.port}/"

    def pointer(self) -> Pointer:
        """What this machine remembers of it."""
        hosts = self.hosts
        return Pointer(self.record.name, "sandbox", hosts[0], str(self.identity), str(self.folder), hosts=hosts)

    def start(self) -> None:
        """Boot what does not run, and repair what was left half-way. All hosts at the same time."""
        if not Path(self.record.image).is_dir():
            raise ImageGone(self.record.name, self.record.image)
        with _alone(self.folder), folders.readable():
            self._sweep()
            for machine in network.lay(self.record):
                self._running(machine).stop()
            self._all(Running.start)
            self.front.start()

    def move_front(self, port: int) -> None:
        """Have the front, which does not run, answer at another port from its next start on."""
        self._become(replace(self.record, port=port))

    def stop(self) -> None:
        """Shut everything down; the hosts' disks stay."""
        with _alone(self.folder):
            self._stop()

    def destroy(self) -> None:
        """Remove everything that it ever had. Can be repeated after any failure."""
        with _alone(self.folder):
            self._stop()
            shutil.rmtree(self.folder)

    def complete(self) -> None:
        """Its making has come to its end: from now on nobody removes it as what a killed command left."""
        (self.folder / MAKING).unlink(missing_ok=True)

    def reboot(self, name: str) -> None:
        """Shut one host down and boot it again; address, keys and disk stay."""
        with _alone(self.folder), folders.readable():
            running = self._named(name)
            running.stop()
            running.start()

    def add_host(self) -> Host:
        """Make one more host and boot it; nothing of it is left where it does not come up. The front does not know it
        yet: see `let_in`."""
        with _alone(self.folder), folders.readable():
            self._sweep()
            taken = {machine.number for machine in self.record.machines}
            number = next(n for n in range(1, len(taken) + 2) if n not in taken)
            private, public = _host_key()
            machine = _describe_machine(self.record.name, self.record.prefix, number, public)
            grown = replace(self.record, machines=tuple(sorted((*self.record.machines, machine), key=_by_number)))
            running = Running(self.folder, grown, machine)
            running.furnish(private, (self.folder / "id_ed25519.pub").read_text())
            self._become(grown)
            try:
                network.lay(grown)
                running.start()
            except BaseException:
                self._take_away(machine)
                raise
            return next(host for host in self.hosts if host.id == machine.id)

    def let_in(self, name: str) -> None:
        """Have the front share requests with a host as soon as that is ready."""
        self.front.let_in(self._named(name).machine)

    def remove_host(self, name: str) -> None:
        """Have the front wait for what a host is at, then remove it with its disk. Can be repeated."""
        with _alone(self.folder):
            self._sweep()
            for machine in self.record.machines:
                if machine.name == name:
                    self.front.let_go(machine)
                    self._take_away(machine)

    def _take_away(self, machine: Machine) -> None:
        """While it is known it can be started; its disk goes last."""
        self._running(machine).stop()
        network.remove_host(self.record, machine)
        self._become(self._without(machine))
        self._sweep()

    def _sweep(self) -> None:
        """Look which machines there are now, and remove disks of others: what was cut off has left them."""
        self._become(records.load(self.folder))
        known = {machine.name for machine in self.record.machines}
        for disk in self.folder.glob("hosts/*"):
            if disk.name not in known:
                shutil.rmtree(disk, ignore_errors=True)

    def _without(self, machine: Machine) -> Record:
        return replace(self.record, machines=tuple(one for one in self.record.machines if one != machine))

    def _become(self, record: Record) -> None:
        records.save(self.folder, record)
        self.record, self.front = record, Front(self.folder, record)

    def running(self) -> dict[str, bool]:
        """Whether each host runs, by its name."""
        return {machine.name: self._running(machine).process.pid is not None for machine in self.record.machines}

    def _stop(self) -> None:
        self.front.stop()
        self._all(Running.stop)
        network.remove(self.record)

    def _named(self, name: str) -> Running:
        for machine in self.record.machines:
            if machine.name == name:
                return self._running(machine)
        raise NoSuchHost(name, self.record.name, ", ".join(machine.name for machine in self.record.machines))

    def _running(self, machine: Machine) -> Running:
        return Running(self.folder, self.record, machine)

    def _all(self, work: Callable[[Running], None]) -> None:
        with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            for future in [threads.submit(work, self._running(machine)) for machine in self.record.machines]:
                future.result()


def destroy(folder: Path) -> None:
    """Remove the sandbox in a folder, whatever is left of it."""
    if (folder / "sandbox.json").exists():
        Sandbox(folder).destroy()
        return
    traces.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)


def folder_of(name: str) -> Path:
    """Where a sandbox of that name lies on this machine."""
    return folders.data_folder() / "sandbox" / name


def create(order: Order) -> Sandbox:
    """Make a sandbox and boot it; what was made goes again where it does not come up. SpaceExists where there is one;
    what a killed command left of one is removed first. `complete` ends the making."""
    folder = folder_of(order.name)
    _clear_for(order.name, folder)
    try:
        with folders.readable():
            note(folder / MAKING, os.getpid())
            platform_image.hold(order.image, folder)
            records.save(folder, _describe(order, folder))
            sandbox = Sandbox(folder)
            _start(sandbox, order)
    except BaseException:
        _undo(folder)
        raise
    return sandbox


def _start(sandbox: Sandbox, order: Order) -> None:
    """Boot it. A port that nobody asked for is another one where it was taken while the hosts booted."""
    while True:
        try:
            sandbox.start()
            return
        except PortTaken:
            if order.port is not None:
                raise
            sandbox.move_front(_port(order, sandbox.folder))


def check_root(*words: str) -> None:
    """Refuse, with the line to type, whoever is not root; `words` is the command without `deployer`."""
    if os.geteuid() != 0:
        raise SandboxNeedsRoot(sudo.line(words, sys.argv[0], os.environ))


def check_machine(*words: str) -> None:
    """Refuse, with the line to type, where this user or this machine cannot have a sandbox."""
    check_root(*words)
    missing = [program for program in TOOLS if shutil.which(program) is None]
    if missing:
        raise SandboxToolMissing(", ".join(missing), " ".join(TOOLS[program] for program in missing))


def _clear_for(name: str, folder: Path) -> None:
    """Make the folder, for this process alone."""
    if (folder / MAKING).exists() and noted(folder / MAKING) is not None:
        raise SandboxBusy(name)
    if (folder / "sandbox.json").exists() and not (folder / MAKING).exists():
        raise SpaceExists(name)
    if folder.exists():
        _undo(folder)
    folders.make(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise SandboxBusy(name) from error
    folders.hand_over(folder)


def _describe(order: Order, folder: Path) -> Record:
    """Decide names, addresses and keys, and write each host's own files."""
    authorized = _make_key(folder / "id_ed25519", f"deployer sandbox {order.name}")
    prefix = network.free_prefix(zlib.crc32(str(folder).encode()), [other.prefix for other in _others(folder)])
    port = _port(order, folder)
    keys = {number: _host_key() for number in range(1, order.hosts + 1)}
    machines = tuple(_describe_machine(order.name, prefix, number, public) for number, (_, public) in keys.items())
    record = Record(order.name, order.platform, str(order.image), port, prefix, records.tag_of(folder), machines)
    for machine in machines:
        Running(folder, record, machine).furnish(keys[machine.number][0], authorized)
    return record


def _port(order: Order, folder: Path) -> int:
    return free_port(order.port, [other.port for other in _others(folder)])


def _describe_machine(space: str, prefix: str, number: int, host_key: str) -> Machine:
    return Machine(number, f"{space}-h{number}", f"{prefix}.{FIRST_ADDRESS + number - 1}", host_key)


def _by_number(machine: Machine) -> int:
    return machine.number


def _others(folder: Path) -> list[Record]:
    return [records.load(file.parent) for file in folder.parent.glob("*/sandbox.json") if file.parent != folder]


def _host_key() -> tuple[str, str]:
    """A host's key: private text, and `ssh-ed25519 AAAA...`."""
    with tempfile.TemporaryDirectory(prefix="deployer-key-") as folder:
        public = _make_key(Path(folder, "key"), "")
        return Path(folder, "key").read_text(), " ".join(public.split()[:2])


def _make_key(path: Path, comment: str) -> str:
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)
    for file in (path, path.with_suffix(".pub")):
        folders.hand_over(file)
    return path.with_suffix(".pub").read_text()


def _undo(folder: Path) -> None:
    if (folder / "sandbox.json").exists():
        Sandbox(folder).destroy()
        return
    with _alone(folder):
        shutil.rmtree(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One command at a time; SandboxBusy for the second."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SandboxBusy(folder.name) from error
        yield
