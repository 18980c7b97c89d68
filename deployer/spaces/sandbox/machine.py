"""One host of a sandbox: a systemd-nspawn machine over the platform image.

`hosts/NAME/` in the sandbox's folder holds `upper` (what the host changed in the image), `root` (where both are
mounted), `srv` (its /srv: a plain folder, since the dynos' overlays cannot lie on another one), `console.log` and
`process.json`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from deployer.errors.spaces import HostDidNotBoot
from deployer.spaces.sandbox import cgroups
from deployer.spaces.sandbox.process import Process
from deployer.spaces.sandbox.record import Machine, Record

BOOT_PATIENCE = 30.0  # seconds; a boot takes about one
STOP_PATIENCE = 15.0
UNIFIED_ONLY = ("debian-13",)  # systemd 256 and later know no control groups of version 1


class Running:
    """The machine `machine` of the sandbox in `folder`."""

    def __init__(self, folder: Path, record: Record, machine: Machine) -> None:
        self.record = record
        self.machine = machine
        self.folder = folder / "hosts" / machine.name
        self.root = self.folder / "root"
        self.group = record.namespace(machine)
        self.process = Process(self.folder / "process.json", self.folder / "console.log")

    def furnish(self, private_host_key: str, authorized_key: str) -> None:
        """Write what makes this host different from the image; before its first start."""
        upper = self.folder / "upper"
        for name in ("upper", "work", "root", "srv"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        _write(upper / "etc/hostname", f"{self.machine.name}\n", 0o644)
        _write(upper / "etc/hosts", f"127.0.0.1 localhost\n{self.machine.address} {self.machine.name}\n", 0o644)
        _write(upper / "etc/ssh/ssh_host_ed25519_key", private_host_key, 0o600)
        _write(upper / "root/.ssh/authorized_keys", authorized_key, 0o600)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)

    def start(self) -> None:
        """Boot it, unless it runs already; HostDidNotBoot where nobody answers at its SSH port in time."""
        if self.process.pid is None:
            self._clear()
            self._mount()
            leader = self._spawn()
            if not self.record.platform.startswith(UNIFIED_ONLY):
                cgroups.make_writable(leader)
        self._wait_for_ssh()

    def stop(self) -> None:
        """Shut it down, and take its mounts and groups away."""
        self.process.stop(STOP_PATIENCE)
        self._clear()

    def remove(self) -> None:
        """Stop it, and remove its disk."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _mount(self) -> None:
        options = f"lowerdir={self.record.image},upperdir={self.folder}/upper,workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)], check=True)

    def _spawn(self) -> int:
        groups = cgroups.make(self.group)
        join = "".join(f"echo $$ > {shlex.quote(str(group / 'cgroup.procs'))}; " for group in groups)
        words = [*self._scope(), *self._nspawn()]
        env = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
        if groups and self.record.platform.startswith(UNIFIED_ONLY):
            env["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        return self.process.start(["sh", "-c", f"{join}exec {shlex.join(words)}"], env)

    def _scope(self) -> list[str]:
        if not cgroups.has_systemd():
            return []
        return ["systemd-run", "--quiet", "--scope", "--collect", f"--unit={self.group}", "-p", "Delegate=yes"]

    def _nspawn(self) -> list[str]:
        return [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            f"--directory={self.root}",
            f"--machine={self.machine.name}",
            f"--hostname={self.machine.name}",
            f"--network-namespace-path=/run/netns/{self.record.namespace(self.machine)}",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--capability=CAP_NET_ADMIN",  # its own firewall
            f"--bind={self.folder}/srv:/srv",
            "--console=pipe",
            "--boot",
        ]

    def _wait_for_ssh(self) -> None:
        deadline = time.monotonic() + BOOT_PATIENCE
        while time.monotonic() < deadline and self.process.pid is not None:
            with (
                suppress(OSError),
                socket.create_connection((self.machine.address, 22), timeout=1) as connection,
            ):
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise HostDidNotBoot(self.machine.name, BOOT_PATIENCE, self.process.end_of_log())

    def _clear(self) -> None:
        """Take away what a stopped or killed machine leaves behind."""
        for pid in cgroups.members(self.group):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while _is_mounted(self.root):
            subprocess.run(["umount", "--lazy", "--recursive", str(self.root)], check=True)
        cgroups.remove(self.group)


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _is_mounted(path: Path) -> bool:
    return any(line.split(" ")[1] == str(path) for line in Path("/proc/mounts").read_text().splitlines())
