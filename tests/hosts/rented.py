"""Machines that somebody has rented: systemd hosts that nobody prepared, with a user who may use sudo, and laptops that
know them by ~/.ssh/config only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deployer.build import platform_image
from deployer.model.platforms import parse
from deployer.remote.agent import connect
from deployer.spaces.sandbox import sandbox as sandboxes
from deployer.spaces.sandbox.sandbox import Order, Sandbox
from tests.hosts.person import Person

USER = "ubuntu"
MAKE_USER = f"""
id {USER} 2>/dev/null || useradd --create-home --shell /bin/bash {USER}
install -d -o {USER} -g {USER} -m 700 /home/{USER}/.ssh
install -o {USER} -g {USER} -m 600 /root/.ssh/authorized_keys /home/{USER}/.ssh/authorized_keys
echo '{USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{USER}
"""
SSH_CONFIG = """\
Host one
  HostName {one}
  User {user}
Host *
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


def rent(name: str, hosts: int, system: str = "") -> Sandbox:
    """Machines; nothing of ours is on them but programs."""
    platform = parse(system or os.environ.get("DEPLOYER_TEST_PLATFORM", "debian-13"))
    image = platform_image.ensure(platform, "host", lambda event: None)
    sandbox = sandboxes.create(Order(name, str(platform), image, hosts))
    sandbox.complete()
    for number in range(hosts):
        on(sandbox, MAKE_USER, number)
    return sandbox


def on(sandbox: Sandbox, script: str, host: int = 0) -> str:
    """What a script prints on a machine, as root; AssertionError where it fails."""
    with connect(sandbox.hosts[host], sandbox.identity) as session:
        ran = session.run(["bash", "-c", script])
    assert ran.status == 0, f"{script} ended with {ran.status}: {ran.complained}"
    return ran.printed


@dataclass
class Laptop:
    """A person's machine, with spaces, known_hosts and ~/.ssh/config of its own."""

    home: Path
    sandbox: Sandbox

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        text = SSH_CONFIG.format(one=self.address(0), user=USER, key=self.sandbox.identity, folder=self.home)
        (self.home / "ssh_config").write_text(text)

    def address(self, host: int = 0) -> str:
        """Where a machine is."""
        return self.sandbox.hosts[host].address

    @property
    def env(self) -> dict[str, str]:
        """What makes this laptop another one than the one that runs the tests."""
        return {"DEPLOYER_HOME": str(self.home / "config"), "DEPLOYER_SSH_CONFIG": str(self.home / "ssh_config")}

    def person(self, folder: Path | None = None, app: str = "") -> Person:
        """Somebody who works on it."""
        return Person(folder or self.home, app, 80, self.env, address=self.address(0))

    def knows(self, host: int = 0) -> None:
        """Have the host's key in known_hosts, as after `ssh`."""
        one = self.sandbox.hosts[host]
        with (self.home / "known_hosts").open("a") as file:
            file.write(f"{one.address} {one.host_key}\n")
