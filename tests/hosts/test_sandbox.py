"""A sandbox is real systemd hosts: reachable, repairable, and gone without a trace."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from deployer.build import platform_image
from deployer.errors.spaces import SpaceExists
from deployer.model.platforms import parse
from deployer.remote.agent import connect
from deployer.spaces.sandbox import sandbox as sandboxes
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.process import BOOT
from deployer.spaces.sandbox.sandbox import Order, Sandbox

pytestmark = pytest.mark.hosts


@pytest.fixture
def bare(home: Path) -> Iterator[Sandbox]:
    """A sandbox of one host on its own, not prepared, for tests that hurt it."""
    sandbox = made("bare")
    yield sandbox
    if sandbox.folder.exists():
        sandbox.destroy()


@pytest.fixture(scope="module")
def older(home: Path) -> Iterator[Sandbox]:
    """A sandbox of one debian-12 host."""
    sandbox = made("older", "debian-12")
    yield sandbox
    sandbox.destroy()


def made(name: str, system: str = "debian-13") -> Sandbox:
    platform = parse(system)
    image = platform_image.ensure(platform, "host", lambda event: None)
    sandbox = sandboxes.create(Order(name, str(platform), image))
    sandbox.complete()
    return sandbox


def run(sandbox: Sandbox, *words: str, host: int = 0) -> str:
    """What a command on a host prints; the connection accepts the key that the sandbox knows, and no other."""
    with connect(sandbox.hosts[host], sandbox.identity) as session:
        pipe = session.connection.open([*words])
        said = b""
        while got := pipe.read(1 << 16):
            said += got
        return said.decode().strip()


def traces(sandbox: Sandbox) -> list[str]:
    """What the kernel knows of a sandbox: links, namespaces, groups, mounts, processes."""
    tag, folder = sandbox.record.bridge, str(sandbox.folder)
    links = [path.name for path in Path("/sys/class/net").iterdir()]
    names = [path.name for path in Path("/run/netns").iterdir()]
    groups = [name for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [name for name in (*links, *names, *groups) if name.startswith(tag)]
    return [*found, *(line for line in (*mounts, *commands()) if folder in line)]


def commands() -> list[str]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace").replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def nspawn_of(sandbox: Sandbox) -> int:
    """The process that is the first host's machine."""
    keeper = Running(sandbox.folder, sandbox.record, sandbox.record.machines[0]).process.pid
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    return next(int(pid) for pid in children if "systemd-nspawn" in Path(f"/proc/{pid}/cmdline").read_text())


def test_every_host_answers_over_ssh_with_the_key_that_is_known(sandbox: Sandbox) -> None:
    facts = []
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            facts.append(session.call("facts"))
    assert [fact["hostname"] for fact in facts] == ["hosts-h1", "hosts-h2"]
    assert {fact["platform"] for fact in facts} == {sandbox.record.platform}


def test_hosts_reach_each_other_and_nothing_else(sandbox: Sandbox) -> None:
    other = sandbox.hosts[1].private_address
    assert run(sandbox, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{other}/-/ready") in {
        "200",
        "503",
    }
    assert run(sandbox, "ip", "-4", "route", "show", "default") == ""


def test_a_reboot_from_within_comes_back_with_address_keys_and_disk(bare: Sandbox) -> None:
    before = run(bare, "sh", "-c", f"echo kept > /srv/kept; echo kept > /root/kept; cat {BOOT}")
    run(bare, "systemctl", "reboot")
    assert wait_for(lambda: run(bare, "cat", str(BOOT)) not in ("", before))
    assert run(bare, "cat", "/srv/kept", "/root/kept").split() == ["kept", "kept"]


def survives(sandbox: Sandbox, taken: int) -> bool:
    """Whether a unit that may use 50 MiB survives taking that many."""
    unit = ["systemd-run", "--quiet", "--wait", "--collect", "-p", "MemoryMax=50M", "-p", "MemorySwapMax=0"]
    program = shlex.join([*unit, "python3", "-c", f"b'x' * ({taken} << 20)"])
    return run(sandbox, "sh", "-c", f"{program}; echo $?") == "0"


def test_limits_of_memory_hold_also_after_a_reboot(older: Sandbox) -> None:
    assert (survives(older, 1), survives(older, 200)) == (True, False)
    before = run(older, "cat", str(BOOT))
    run(older, "systemctl", "reboot")
    assert wait_for(lambda: run(older, "cat", str(BOOT)) not in ("", before))
    assert (survives(older, 1), survives(older, 200)) == (True, False)


def wait_for(question: object, patience: float = 20.0) -> bool:
    """Whether the answer becomes yes in time; a host that does not answer says no."""
    from deployer.errors.base import Failure

    assert callable(question)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if question():
                return True
        except Failure:
            time.sleep(0.05)
    return False


def test_a_host_that_was_killed_is_down_until_start_repairs_it(bare: Sandbox) -> None:
    os.kill(nspawn_of(bare), signal.SIGKILL)
    assert wait_for(lambda: bare.running() == {"bare-h1": False})
    (bare.folder / "hosts/bare-h2/upper/etc").mkdir(parents=True)  # of a removal that was killed at its end
    bare.start()
    assert run(bare, "hostname") == "bare-h1"
    assert [disk.name for disk in (bare.folder / "hosts").iterdir()] == ["bare-h1"]


def test_start_repairs_what_a_restarted_machine_has_lost(bare: Sandbox) -> None:
    """Its network is gone and the numbers of its processes are other processes' now."""
    Running(bare.folder, bare.record, bare.record.machines[0]).stop()
    bare.front.stop()
    subprocess.run(["ip", "link", "del", bare.record.bridge], check=True)
    mine = {"pid": os.getpid(), "started": "1", "boot": "another"}
    (bare.folder / "front.json").write_text(json.dumps(mine))
    (bare.folder / "hosts/bare-h1/process.json").write_text(json.dumps(mine))
    bare.start()
    assert run(bare, "hostname") == "bare-h1"
    assert bare.front.process.pid != os.getpid()


def test_what_a_killed_creation_left_makes_room_and_a_whole_sandbox_does_not(bare: Sandbox) -> None:
    order = Order(bare.record.name, bare.record.platform, Path(bare.record.image))
    with pytest.raises(SpaceExists):
        sandboxes.create(order)
    (bare.folder / sandboxes.MAKING).write_text(json.dumps({"pid": 1, "started": "never", "boot": "another"}))
    again = sandboxes.create(order)
    assert again.hosts[0].host_key != bare.hosts[0].host_key


def test_a_port_that_somebody_takes_while_the_hosts_boot_is_another_one(home: Path, bare: Sandbox) -> None:
    order = Order("hurried", bare.record.platform, Path(bare.record.image))
    noted, taken = sandboxes.folder_of("hurried") / "sandbox.json", [socket.socket(), socket.socket()]

    def take() -> None:
        for one in taken:
            wait_for(lambda: port() not in (0, *(other.getsockname()[1] for other in taken)))
            one.bind(("127.0.0.1", port()))
            one.listen()

    def port() -> int:
        with suppress(OSError, ValueError):
            return int(json.loads(noted.read_text())["port"])
        return 0

    thread = Thread(target=take)
    thread.start()
    hurried = sandboxes.create(order)
    thread.join()
    assert hurried.front.process.pid is not None
    for one in taken:
        assert hurried.record.port != one.getsockname()[1]
        one.close()
    other = home / "other.cfg"
    other.write_text(hurried.front.config.read_text().replace(str(hurried.front.socket), str(home / "other.sock")))
    ended = subprocess.run(["haproxy", "-db", "-f", other], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and "cannot bind" in ended.stderr, ended.stderr
    hurried.destroy()


def test_nothing_is_left_of_a_destroyed_sandbox(bare: Sandbox) -> None:
    assert traces(bare)
    bare.destroy()
    assert traces(bare) == []
    assert not bare.folder.exists()


def test_two_sandboxes_stand_side_by_side_on_either_platform(older: Sandbox, bare: Sandbox) -> None:
    assert run(older, "sed", "-n", "s/VERSION_CODENAME=//p", "/etc/os-release") == "bookworm"
    assert run(bare, "sed", "-n", "s/VERSION_CODENAME=//p", "/etc/os-release") == "trixie"
    assert older.record.port != bare.record.port
    assert older.record.prefix != bare.record.prefix
    assert run(older, "systemctl", "is-system-running", "--wait") == "running"
