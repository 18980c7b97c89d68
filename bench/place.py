"""Where the measurements happen: a sandbox, reached directly or with latency, by deployer and by plain ssh alike."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.slow_link import Link, slow_links
from deployer.model.events import Event
from deployer.model.space import Host
from deployer.operations import spaces
from deployer.operations.session import open_space
from deployer.operations.spaces import Wanted
from deployer.spaces import pointers

NAME = "bench"
PROGRAM = str(Path(sys.executable).parent / "deployer")
DEADLINE = 300.0  # seconds for any one command


class Failed(Exception):
    """A command of the measurement failed; the message has its last words."""


def run(words: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise Failed(
            f"`{shlex.join(words)[:200]}` ended with {done.returncode}:\n{done.stdout[-500:]}{done.stderr[-2000:]}"
        )
    assert isinstance(done, subprocess.CompletedProcess)
    return done


class Place:
    """A sandbox. `ways` are how this machine reaches its hosts: the address and port for SSH of each."""

    def __init__(self, folder: Path, hosts: int) -> None:
        spaces.create(Wanted(NAME, "debian-13", hosts), ignore)
        self.folder = folder
        self.sandbox = spaces.sandbox_of(NAME)
        self.hosts = self.sandbox.hosts
        self.ways: tuple[Host, ...] = self.hosts

    @contextmanager
    def with_latency(self, seconds: float) -> Iterator[None]:
        """Reach the hosts over links on which a round trip takes so long. Users' requests do not go there."""
        if not seconds:
            yield
            return
        with slow_links(Link(seconds), [f"{host.address}:{host.port}" for host in self.hosts]) as ports:
            self._reach_by([replace(h, address="127.0.0.1", port=p) for h, p in zip(self.hosts, ports, strict=True)])
            try:
                yield
            finally:
                self._reach_by(self.hosts)

    def _reach_by(self, ways: Sequence[Host]) -> None:
        """Tell this machine and the ledger; while the hosts can still be reached the way they were before."""
        pointer = pointers.load(NAME)
        with open_space(pointer) as space:
            for way in ways:
                space.ledger.save_host(way)
        pointers.save(replace(pointer, first=ways[0]))
        self.ways = tuple(ways)

    def deployer(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run deployer as a user does."""
        return run([PROGRAM, *words], cwd=folder or self.folder)

    def ssh(self, way: Host) -> list[str]:
        """The words of plain ssh to a host, with its key known."""
        known = self.folder / f"known_hosts.{way.address}.{way.port}"
        name = way.address if way.port == 22 else f"[{way.address}]:{way.port}"
        known.write_text(f"{name} {way.host_key}\n")
        options = ["-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=20"]
        return ["ssh", "-F", os.devnull, "-i", str(self.sandbox.identity), "-p", str(way.port), *options]

    def shell(self, way: Host, text: str) -> str:
        """A shell command on a host, as root."""
        return run([*self.ssh(way), f"{way.user}@{way.address}", text]).stdout

    def destroy(self) -> None:
        """Nothing is left of it."""
        spaces.destroy(NAME, ignore)


def ignore(event: Event) -> None:
    """A `tell` that hears nothing."""
