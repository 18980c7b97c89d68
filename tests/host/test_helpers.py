"""The helper programs, run as they are: the launcher here, the overlay in mount and network namespaces of their own."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from deployer.host import dyno_files, firewall, helpers

INSTANCE = "shop.web.1.v12"


def launched(folder: Path, command: str, env: dict[str, str], delay: int = 0) -> subprocess.CompletedProcess[bytes]:
    (folder / "env").write_bytes(dyno_files.shell_exports(env))
    (folder / "command").write_text(command)
    (folder / "delay").write_text(f"{delay}\n")
    given = {"CREDENTIALS_DIRECTORY": str(folder), "INVOCATION_ID": "x", "PATH": os.environ["PATH"]}
    words = ["bash", "-c", helpers.DYNO_LAUNCH]
    return subprocess.run(words, env=given, capture_output=True, check=False, timeout=20)


def test_a_command_is_shell_and_sees_the_config_vars(tmp_path):
    done = launched(tmp_path, 'false || echo "$NAME" | tr a-z A-Z; exit 3', {"NAME": "it's"})
    assert (done.stdout, done.returncode) == (b"IT'S\n", 3)


def test_the_machinery_of_the_host_is_not_in_the_environment(tmp_path):
    names = {line.split(b"=")[0] for line in launched(tmp_path, "env", {"A": "1"}).stdout.splitlines()}
    assert names <= {b"A", b"PATH", b"PWD", b"SHLVL", b"_", b"OLDPWD"}


def test_a_crashed_dyno_waits_before_its_command(tmp_path):
    began = time.monotonic()
    launched(tmp_path, "true", {}, delay=1)
    assert time.monotonic() - began > 1


ROOM = """\
set -eu
mount -t tmpfs none /srv
mount -t tmpfs none /run
mkdir -p /srv/deployer/layers/low/app/kept /srv/deployer/layers/high/app /srv/deployer/dynos/$1
echo low > /srv/deployer/layers/low/app/both; echo high > /srv/deployer/layers/high/app/both
echo slug > /srv/deployer/layers/low/app/kept/file
echo /srv/deployer/layers/high:/srv/deployer/layers/low > /srv/deployer/dynos/$1/layers
echo 20001 > /srv/deployer/dynos/$1/uid
export S=/srv/deployer/scratch/$1
"""


@pytest.fixture
def helper(tmp_path: Path) -> Path:
    """The overlay's helper; its own firewall file, for the guard."""
    rules = tmp_path / "firewall.nft"
    rules.write_text(firewall.render([], []))
    path = tmp_path / "dyno-fs"
    path.write_text(helpers.DYNO_FS.replace("/etc/deployer/firewall.nft", str(rules)))
    path.chmod(0o755)
    return path


def inside(helper: Path, script: str) -> str:
    """What a script prints in namespaces where only it sees the mounts and the rules."""
    words = ["unshare", "--mount", "--net", "--propagation=private", "sh", "-c", ROOM + script, "sh", INSTANCE]
    environment = {**os.environ, "HELPER": str(helper)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and firewalls need root")


@pytest.mark.edge
@needs_root
def test_layers_are_merged_and_writable_and_writes_are_gone_at_the_next_start(helper):
    printed = inside(
        helper,
        """
        $HELPER up $1; cat $S/root/app/both $S/root/app/kept/file; stat -c %u $S/root/app
        echo new > $S/root/app/both; touch $S/root/app/extra; mv $S/root/app/kept $S/root/app/moved
        $HELPER up $1; cat $S/root/app/both; ls $S/root/app
        $HELPER down $1; ls /srv/deployer/scratch; grep -c deployer-dyno /proc/mounts || true
        """,
    )
    assert printed.split() == ["high", "slug", "20001", "high", "both", "kept", "0"]


@pytest.mark.edge
@needs_root
def test_a_dyno_that_crashes_again_and_again_waits_longer_each_time_and_at_most_five_minutes(helper):
    printed = inside(
        helper, "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do $HELPER up $1; cat /run/deployer/delays/$1; done"
    )
    assert [int(word) for word in printed.split()] == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.edge
@needs_root
def test_ten_good_minutes_are_forgiven(helper):
    printed = inside(
        helper,
        """
        mkdir -p /run/deployer/starts
        read -r now rest < /proc/uptime; now=${now%.*}
        echo "6 $((now - 599))" > /run/deployer/starts/$1; $HELPER up $1; cat /run/deployer/delays/$1
        echo "6 $((now - 601))" > /run/deployer/starts/$1; $HELPER up $1; cat /run/deployer/delays/$1
        """,
    )
    assert printed.split() == ["16", "0"]


@pytest.mark.edge
@needs_root
def test_no_dyno_starts_without_the_firewall_and_a_flush_of_the_rules_is_undone_first(helper):
    printed = inside(
        helper,
        """
        $HELPER up $1; nft list tables; nft flush ruleset; $HELPER up $1; nft list tables
        nft flush ruleset; echo nonsense > $(dirname $HELPER)/firewall.nft
        $HELPER up $1 2> /dev/null || echo refused; mountpoint -q $S/root && echo old
        """,
    )
    assert printed.splitlines() == ["table inet deployer", "table inet deployer", "refused", "old"]


@pytest.mark.edge
@needs_root
def test_what_a_kill_left_mounted_is_cleaned_up_at_the_next_start(helper):
    printed = inside(
        helper,
        """
        $HELPER up $1; mount -t tmpfs none $S/root; $HELPER up $1; grep -c deployer-dyno /proc/mounts
        rm -r /srv/deployer/layers/high; $HELPER up $1 2> /dev/null || echo failed; $HELPER down $1
        ls /srv/deployer/scratch
        """,
    )
    assert printed.split() == ["1", "failed"]


@pytest.mark.edge
@needs_root
@pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="this machine has no loop devices")
def test_what_dynos_write_ends_at_a_bound_and_not_at_the_end_of_the_disk(helper, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.write_text(helpers.SCRATCH)
    printed = inside(
        helper,
        f"""
        for n in 1 2; do sh {scratch} 16; done; grep -c /srv/deployer/scratch /proc/mounts
        $HELPER up $1; head -c 64M /dev/zero > $S/root/app/big 2> /dev/null || echo full
        $HELPER down $1; umount /srv/deployer/scratch; $HELPER up $1 || echo refused
        """,
    )
    assert printed.split() == ["1", "full", "refused"]
