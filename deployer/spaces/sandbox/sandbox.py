"""A space on this machine: real systemd hosts in network namespaces, and a front that plays the load balancer.

Everything that it has lies in its folder, or bears its tag in the kernel (`ip link`, `ip netns list`, /sys/fs/cgroup).
`start` brings a sandbox back whatever a reboot, a kill or a half-finished command left; `destroy` leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deployer.build.folders import data_folder
from deployer.errors.spaces import NoSuchHost, SandboxNeedsRoot, SandboxToolMissing
from deployer.model.space import Host, Pointer
from deployer.spaces.sandbox import network
from deployer.spaces.sandbox import record as records
from deployer.spaces.sandbox.front import Front, free_port
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.record import FIRST_ADDRESS, Machine, Record

TOOLS = {
    "ip": "iproute2",
    "systemd-nspawn": "systemd-container",
    "haproxy": "haproxy",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
}


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
        return Pointer(self.record.name, "sandbox", self.hosts[0], str(self.identity), str(self.folder))

    def start(self) -> None:
        """Boot what does not run, and repair what was left half-way. All hosts at the same time."""
        network.lay(self.record)
        self._all(Running.start)
        self.front.start()

    def stop(self) -> None:
        """Shut everything down; the hosts' disks stay."""
        self.front.stop()
        self._all(Running.stop)
        network.remove(self.record)

    def destroy(self) -> None:
        """Remove everything that it ever had. Can be repeated after any failure."""
        self.stop()
        shutil.rmtree(self.folder)

    def reboot(self, name: str) -> None:
        """Shut one host down and boot it again; address, keys and disk stay."""
        running = self._machine(name)
        running.stop()
        running.start()

    def running(self) -> dict[str, bool]:
        """Whether each host runs, by its name."""
        return {running.machine.name: running.process.pid is not None for running in self._machines()}

    def _machine(self, name: str) -> Running:
        for running in self._machines():
            if running.machine.name == name:
                return running
        raise NoSuchHost(name, self.record.name, ", ".join(machine.name for machine in self.record.machines))

    def _machines(self) -> list[Running]:
        return [Running(self.folder, self.record, machine) for machine in self.record.machines]

    def _all(self, work: Callable[[Running], None]) -> None:
        with ThreadPoolExecutor(16) as threads:
            for future in [threads.submit(work, running) for running in self._machines()]:
                future.result()


def folder_of(name: str) -> Path:
    """Where a sandbox of that name lies on this machine."""
    return data_folder() / "sandbox" / name


def create(order: Order) -> Sandbox:
    """Make a sandbox and boot it; what was made goes again where it does not come up."""
    folder = folder_of(order.name)
    folder.mkdir(parents=True)
    try:
        record = _describe(order, folder)
        records.save(folder, record)
        sandbox = Sandbox(folder)
        sandbox.start()
    except BaseException:
        _undo(folder)
        raise
    return sandbox


def check_machine(command: str) -> None:
    """Refuse, with the line to type, where this user or this machine cannot have a sandbox."""
    if os.geteuid() != 0:
        raise SandboxNeedsRoot(command)
    missing = [program for program in TOOLS if shutil.which(program) is None]
    if missing:
        raise SandboxToolMissing(", ".join(missing), " ".join(TOOLS[program] for program in missing))


def _describe(order: Order, folder: Path) -> Record:
    """Decide names, addresses and keys, and write each host's own files."""
    authorized = _make_key(folder / "id_ed25519", f"deployer sandbox {order.name}")
    prefix = network.free_prefix(zlib.crc32(str(folder).encode()))
    keys = {number: _host_key() for number in range(1, order.hosts + 1)}
    machines = tuple(
        Machine(number, f"{order.name}-h{number}", f"{prefix}.{FIRST_ADDRESS + number - 1}", public)
        for number, (_, public) in keys.items()
    )
    tag, port = records.tag_of(folder), free_port(order.port)
    record = Record(order.name, order.platform, str(order.image), port, prefix, tag, machines)
    for machine in machines:
        Running(folder, record, machine).furnish(keys[machine.number][0], authorized)
    return record


def _host_key() -> tuple[str, str]:
    """A host's key: private text, and `ssh-ed25519 AAAA...`."""
    with tempfile.TemporaryDirectory(prefix="deployer-key-") as folder:
        public = _make_key(Path(folder, "key"), "")
        return Path(folder, "key").read_text(), " ".join(public.split()[:2])


def _make_key(path: Path, comment: str) -> str:
    words: Iterable[str] = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))
    subprocess.run([*words], check=True)
    return path.with_suffix(".pub").read_text()


def _undo(folder: Path) -> None:
    if (folder / "sandbox.json").exists():
        Sandbox(folder).destroy()
    else:
        shutil.rmtree(folder)
