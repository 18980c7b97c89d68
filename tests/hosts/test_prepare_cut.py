"""A machine whose preparation was killed in the middle of dpkg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.events import Event
from deployer.operations.prepare import prepare_host
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.outside import wait_until
from tests.hosts.rented import Laptop, on, rent

pytestmark = pytest.mark.hosts
# A package of the host's list whose installation hangs until /root/go is there, in a repository on the machine itself.
SLOW_PACKAGE = """
set -e
mkdir -p /root/repo/zip/DEBIAN && cd /root/repo
printf 'Package: zip\\nVersion: 9\\nArchitecture: all\\nMaintainer: test\\nDescription: test\\n' > zip/DEBIAN/control
printf '#!/bin/sh\\ntouch /root/configuring\\nwhile [ ! -e /root/go ]; do sleep 0.1; done\\n' > zip/DEBIAN/postinst
chmod 755 zip/DEBIAN/postinst
dpkg-deb -b zip zip.deb > /dev/null
{ cat zip/DEBIAN/control; echo Filename: ./zip.deb; echo Size: $(stat -c %s zip.deb)
  echo SHA256: $(sha256sum zip.deb | cut -d ' ' -f 1); } > Packages
rm -rf /etc/apt/sources.list*
mkdir /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:/root/repo ./' > /etc/apt/sources.list.d/test.list
dpkg --remove --force-depends zip > /dev/null 2>&1
"""
KILL = """
kill -9 $(pgrep -f '[d]eployer/agent/.* serve') $(pgrep -x apt-get) $(pgrep -x dpkg) $(pgrep -f '[z]ip.postinst')
sleep 0.3
"""
HOLD = (
    "systemd-run --quiet --unit=holder python3 -c 'import fcntl, time; "
    'f = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(6)\'; sleep 0.5'
)


@pytest.fixture
def machine(home: Path) -> Iterator[Sandbox]:
    """One that nobody has prepared."""
    sandbox = rent("cut", 1)
    yield sandbox
    sandbox.destroy()


def test_what_was_killed_in_the_middle_of_dpkg_is_finished_by_the_same_command(
    machine: Sandbox, tmp_path: Path
) -> None:
    laptop = Laptop(tmp_path / "laptop", machine)
    laptop.knows()
    ada = laptop.person()
    words = ("deployer", "spaces:create", "prod", "--host", "one", "--confirm", "prod")
    on(machine, SLOW_PACKAGE)
    first = ada.starts(*words)
    wait_until(lambda: "configuring" in on(machine, "ls /root"), 120, "dpkg to configure a package")
    on(machine, KILL)
    assert "Lost the connection" in first.communicate(timeout=60)[1].decode()
    on(machine, "touch /root/go")
    on(machine, HOLD)
    second = ada.types(*words, "--verbose")
    assert "prod-h1: waiting for" in second.stderr
    assert "prod-h1: packages zip" in second.stderr
    changes: list[Event] = []
    with connect(machine.hosts[0], machine.identity) as session:
        prepare_host(session, [session.host], 1, changes.append, "prod")
    assert changes == []
