"""The machine of an EC2 instance: a systemd host whose disk is fresh, with what stands in for cloud-init on it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from deployer.build import folders
from deployer.spaces.sandbox.machine import Running

FIRST_BOOT = Path(__file__).with_name("first_boot.py")
UNIT = """\
[Unit]
Description=Stands in for cloud-init
After=network-online.target multi-user.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/python3 -I /usr/lib/box/first_boot.py
KillMode=process
TimeoutSec=0
TasksMax=infinity
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"""
STOP_PATIENCE = 15.0  # seconds
NAME = "cloud-final.service"
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\a]*\a)")


class Booted(Running):
    """Named after its instance, in the folder, too."""

    def make(self, resolver: str) -> None:
        """Its disk. Nobody knows its SSH host key: it makes one at its first boot. It asks the `resolver` for names."""
        name = f"ip-{self.machine.address.replace('.', '-')}"
        hosts = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{self.machine.address} {name}\n"
        with folders.readable():
            for folder in ("upper", "work", "root", "srv"):
                (self.folder / folder).mkdir(parents=True, exist_ok=True)
            asks = f"nameserver {resolver}\n"
            texts = {"hostname": f"{name}\n", "hosts": hosts, "resolv.conf": asks, f"systemd/system/{NAME}": UNIT}
            for path, text in texts.items():
                file = self.folder / "upper/etc" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            wants = self.folder / "upper/etc/systemd/system/multi-user.target.wants"
            wants.mkdir()
            (wants / NAME).symlink_to(f"/etc/systemd/system/{NAME}")
            library = self.folder / "upper/usr/lib/box"
            library.mkdir(parents=True)
            shutil.copy(FIRST_BOOT, library)

    def nspawn(self) -> list[str]:
        """With a terminal as its console, wide enough: what units say there is what EC2's console output shows."""
        words = ["--console=read-only" if word == "--console=pipe" else word for word in super().nspawn()]
        return ["env", "COLUMNS=200", *words]

    def boot(self) -> None:
        """Without waiting: nobody waits on EC2."""
        self.groups.end()
        with folders.readable():
            self._spawn()

    def end(self, *, hard: bool = False) -> None:
        """As EC2 ends one: it may shut down. `hard` is a machine that breaks."""
        if not hard:
            self.process.stop(STOP_PATIENCE)
        self.groups.end()
        self.process.stop(STOP_PATIENCE)

    def console(self) -> str:
        """All that it has said so far, as a terminal gets it; EC2 takes no colours out either."""
        with suppress(FileNotFoundError):
            return self.process.log.read_bytes().decode(errors="replace")
        return ""

    def run(self, *words: str, told: str = "", patience: float = 20) -> subprocess.CompletedProcess[str]:
        """A command in it, as root, which is `told` something, and has so many seconds: what nobody can do on EC2, for
        tests to look."""
        enter = ["nsenter", f"--target={self._init()}", "--all", "--", *words]
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root"}
        return subprocess.run(enter, input=told, check=True, capture_output=True, text=True, timeout=patience, env=env)

    def _init(self) -> int:
        """The number, on this machine, of its first process."""
        space = Path("/run/netns", self.record.namespace(self.machine)).stat().st_ino
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError, StopIteration):
                numbers = next(line for line in status.read_text().splitlines() if line.startswith("NSpid:")).split()
                is_first = len(numbers) > 2 and numbers[-1] == "1"
                if is_first and (status.parent / "ns/net").stat().st_ino == space:
                    return int(status.parent.name)
        raise LookupError(f"{self.machine.name} does not run")


def plain(console: str) -> str:
    """The same without what is meant for terminals."""
    lines = ESCAPES.sub("", console).replace("\r", "\n").splitlines()
    return "\n".join(line for line in lines if line.strip())


def says_ssh(address: str) -> bool:
    """Whether an SSH server answers there."""
    with suppress(OSError), socket.create_connection((address, 22), timeout=1) as connection:
        return connection.recv(4) == b"SSH-"
    return False
