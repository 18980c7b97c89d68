"""One host of a sandbox: a systemd-nspawn machine over the platform image.

`hosts/NAME/` in the sandbox's folder holds `upper` (what the host changed in the image), `root` (where both are
mounted, for its keeper alone), `srv` (its /srv: a plain folder, since the dynos' overlays cannot lie on another one),
`console.log`, `process.json` (the keeper) and `groups` (its control groups).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from deployer.errors.spaces import HostDidNotBoot
from deployer.spaces.sandbox import cgroups, keeper
from deployer.spaces.sandbox.cgroups import Groups
from deployer.spaces.sandbox.process import Process
from deployer.spaces.sandbox.record import Machine, Record

BOOT_PATIENCE = 60.0  # seconds; a boot takes about one
STOP_PATIENCE = 30.0
UNIFIED_ONLY = ("debian-13",)  # systemd 256 and later know no control groups of version 1


class Running:
    """The machine `machine` of the sandbox in `folder`."""

    def __init__(self, folder: Path, record: Record, machine: Machine) -> None:
        self.record = record
        self.machine = machine
        self.folder = folder / "hosts" / machine.name
        self.process = Process(self.folder / "process.json", self.folder / "console.log")
        self.groups = Groups(record.namespace(machine), self.folder / "groups")

    def furnish(self, private_host_key: str, authorized_key: str) -> None:
        """Write what makes this host different from the image; before its first start."""
        upper = self.folder / "upper"
        for name in ("upper", "work", "root", "srv"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        hosts = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{self.machine.address} {self.machine.name}\n"
        _write(upper / "etc/hostname", f"{self.machine.name}\n", 0o644)
        _write(upper / "etc/hosts", hosts, 0o644)
        _write(upper / "etc/ssh/ssh_host_ed25519_key", private_host_key, 0o600)
        _write(upper / "root/.ssh/authorized_keys", authorized_key, 0o600)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)

    def start(self) -> None:
        """Boot it, unless it runs already; HostDidNotBoot where nobody answers at its SSH port in time."""
        if self.process.pid is None:
            self.groups.end()
            self._spawn()
        self._wait_for_ssh()

    def stop(self) -> None:
        """Shut it down, and take its control groups away."""
        self.process.stop(STOP_PATIENCE)
        if (self.folder / "root").is_mount():  # by hand, to look inside; `destroy` must not delete through it
            subprocess.run(["umount", "--lazy", "--recursive", str(self.folder / "root")], check=True)
        self.groups.end()

    def nspawn(self) -> list[str]:
        """The command that is the machine."""
        return [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            f"--directory={self.folder}/root",
            f"--machine={self.record.namespace(self.machine)}",
            f"--hostname={self.machine.name}",
            f"--network-namespace-path=/run/netns/{self.record.namespace(self.machine)}",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--capability=CAP_NET_ADMIN",  # its own firewall
            f"--bind={self.folder}/srv:/srv",
            "--console=pipe",
            *cgroups.init(self._unified),
        ]

    @property
    def _unified(self) -> bool:
        return self.record.platform.startswith(UNIFIED_ONLY)

    def _spawn(self) -> None:
        env = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
        if self._unified:  # no difference where version 2 is all there is
            env["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        command = keeper.join(self.groups.make(), self.groups.scope, self.nspawn())
        options = keeper.overlay(Path(self.record.image), self.folder)
        self.process.start(keeper.words(self.folder / "root", options, command), env)

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


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
