"""What a machine is, out of what the script printed, and whether it can be a host."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from deployer.model.platforms import HOST_PACKAGES, host_packages
from deployer.spaces.ssh.inspect import LOGIN, LOOK, Found, Listener, parse, private_candidates, problems

INSTALLED = "".join(f"installed {name} installed\n" for name in HOST_PACKAGES if name not in ("haproxy", "zip"))
PRINTED = f"""\
user ada
root yes
system debian-13
called Debian GNU/Linux 13 (trixie)
machine x86_64
init systemd
python 3.13
cpus 2
memory 1963
disk 18211
address eth0 203.0.113.7
address eth1 10.0.0.5
address docker0 172.17.0.1
address eth0 2001:db8::7
{INSTALLED}installed zip config-files
"""
FIT = parse(PRINTED, "ada@203.0.113.7")


def test_what_the_script_printed_becomes_facts() -> None:
    assert (FIT.system, FIT.user, FIT.root, FIT.python, FIT.cpus, FIT.memory, FIT.disk) == (
        "debian-13", "ada", True, "3.13", 2, 1963, 18211,
    )  # fmt: skip
    assert str(FIT.platform) == "debian-13-amd64"
    assert FIT.missing == ("zip", "haproxy")
    assert problems(FIT, "prod") == []


def test_private_addresses_are_those_of_networks_that_reach_beyond_the_machine() -> None:
    assert FIT.addresses == ("203.0.113.7", "10.0.0.5", "2001:db8::7")
    assert private_candidates(replace(FIT, addresses=("9.9.9.9", "10.0.0.5", "100.64.0.1"))) == [
        "10.0.0.5",
        "100.64.0.1",
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(FIT, system="alpine-3.20", called="Alpine Linux v3.20"), "It runs Alpine Linux v3.20. Supported are"),
        (replace(FIT, machine="riscv64"), "Its processor is riscv64"),
        (replace(FIT, init="bash"), "Its first process is bash, not systemd"),
        (replace(FIT, python=""), "apt-get install --yes python3"),
        (replace(FIT, root=False, sudo="sudo: a password is required"), "(sudo: a password is required)"),
        (replace(FIT, root=False, sudo="sh: 1: sudo: not found"), "log in as root"),
        (replace(FIT, memory=256), "256 MiB of memory, and 400 are the least"),
        (replace(FIT, disk=900), "900 MiB of its disk"),
        (replace(FIT, listeners=(Listener(80, "nginx", "812"),)), "nginx (process 812) listens on port 80"),
        (replace(FIT, listeners=(Listener(8080, "", ""),)), "listens on port 8080, one of those for dynos"),
        (replace(FIT, space="other", taken=True), "It is a host of the space other already."),
        (replace(FIT, space="other"), "deployer spaces:join ada@203.0.113.7"),
        (replace(FIT, space="prod", taken=True), "It is a host of the space prod already."),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said(found: Found, said: str) -> None:
    assert said in "\n".join(problems(found, "prod"))


def test_what_a_cut_off_preparation_for_the_same_space_left_does_not_stand_in_the_way() -> None:
    left = replace(FIT, space="prod", listeners=(Listener(80, "haproxy", "7"),))
    assert problems(left, "prod") == []


def test_ubuntu_calls_one_package_otherwise() -> None:
    assert "libjpeg-turbo8" in host_packages("ubuntu-24.04")
    assert "libjpeg62-turbo" not in host_packages("ubuntu-24.04")
    assert host_packages("debian-12") == HOST_PACKAGES


def test_the_script_runs_in_any_shell_and_says_what_machine_this_is() -> None:
    done = subprocess.run(["sh", "-c", LOGIN, "sh", LOOK, "dpkg"], capture_output=True, text=True, check=True)
    found = parse(done.stdout, "here")
    assert (found.memory > 0, found.disk > 0, found.cpus > 0, bool(found.user)) == (True, True, True, True)
    assert done.stderr == ""
