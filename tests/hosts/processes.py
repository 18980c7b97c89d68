"""Commands in the background: brought to a point, ended, and what they said. Hosts that die or fall silent."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployer.model.space import Host
from deployer.remote.agent import connect
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted
from tests.hosts.machine import Machine
from tests.hosts.outside import wait_until

IN_FLIGHT = 12  # requests that a host may carry at a time: those that go down with it are not counted
WALL = """\
table inet cut {
  chain in { type filter hook input priority -10; tcp dport 22 tcp flags & (syn | ack) == syn reject with tcp reset; }
}"""


def frozen(person: Afflicted, point: str, *words: str) -> subprocess.Popen[bytes]:
    """A command that has stopped at the point."""
    started = person.starts(*person.meets(point, "SIGSTOP", *words))
    wait_until(lambda: _is_frozen(started), 30, f"{words} to come to {point}")
    return started


def end(process: subprocess.Popen[bytes], status: int | None) -> str:
    """What it said on standard error until its end, which must come with this status (None: any)."""
    said = process.communicate(timeout=120)[1].decode(errors="replace")
    assert status in (None, process.returncode), said
    return said


def _is_frozen(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, process.communicate()
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def kill_host(sandbox: Sandbox, name: str) -> None:
    """As when its power fails: nothing on it comes to an end by itself."""
    machine = next(one for one in sandbox.record.machines if one.name == name)
    running = Running(sandbox.folder, sandbox.record, machine)
    assert running.process.pid
    os.kill(running.process.pid, signal.SIGKILL)
    running.groups.end()


@contextmanager
def unreachable(sandbox: Sandbox, host: Host) -> Iterator[None]:
    """Its SSH server takes no new connection; all else works."""
    with connect(host, sandbox.identity) as session:
        machine = Machine(session)
        machine.run(f"nft '{WALL}'")
        try:
            yield
        finally:
            machine.run("nft delete table inet cut")
