"""What a sandbox writes and starts, as texts."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.spaces.sandbox import front, keeper, record
from deployer.spaces.sandbox.machine import Running
from deployer.spaces.sandbox.record import Machine, Record

KEY = "ssh-ed25519 AAAA"
MACHINES = (Machine(1, "box-h1", "10.213.7.11", KEY), Machine(2, "box-h2", "10.213.7.12", KEY))
RECORD = Record("box", "debian-13-amd64", "/cache/image", 8080, "10.213.7", "a1b2c3", MACHINES)


def test_the_fronts_configuration(golden: Callable[[str, str], None]) -> None:
    golden("sandbox/front.cfg", front.render(RECORD, Path("/run/dpl-front.sock")))


def test_a_host_that_comes_or_goes_changes_its_own_line_of_it_alone(tmp_path: Path) -> None:
    alone = replace(RECORD, machines=MACHINES[:1])
    known = front.Front(tmp_path, RECORD)
    before, after = (front.render(one, known.socket) for one in (alone, RECORD))
    known.config.write_text(before)
    another = "  server h3 10.213.7.13:80\n"  # of a command that runs at the same time
    for _ in range(2):
        known.let_in(MACHINES[1])
        assert known.config.read_text() == after
    known.config.write_text(after.replace("  server h3 127.0.0.1:1 disabled\n", another))
    known.let_go(MACHINES[1])
    assert known.config.read_text() == before.replace("  server h3 127.0.0.1:1 disabled\n", another)


@pytest.mark.edge
def test_haproxy_takes_the_fronts_configuration(tmp_path: Path) -> None:
    (tmp_path / "front.cfg").write_text(front.render(RECORD, Path("/run/dpl-front.sock")))
    said = subprocess.run(["haproxy", "-c", "-f", tmp_path / "front.cfg"], check=True, capture_output=True, text=True)
    assert "[WARNING]" not in said.stderr


def test_the_command_that_is_a_machine(golden: Callable[[str, str], None]) -> None:
    words = Running(Path("/data/box"), RECORD, MACHINES[0]).nspawn()
    golden("sandbox/nspawn.txt", "".join(f"{shlex.quote(word)}\n" for word in words))


def test_names_in_the_kernel_fit_and_differ_between_folders() -> None:
    last = Machine(50, "box-h50", "10.213.7.60", KEY)
    assert len(RECORD.link(last)) <= 15  # IFNAMSIZ
    assert record.tag_of(Path("/a/box")) != record.tag_of(Path("/b/box"))


def test_a_bridge_keeps_its_hardware_address() -> None:
    assert RECORD.hardware_address == "02:64:70:a1:b2:c3"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record.save(tmp_path, RECORD)
    assert record.load(tmp_path) == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.json"]


class TestKeeper:
    """The shell that keeps a machine running; `mount` is a stand-in on its PATH, the machine a script."""

    @pytest.fixture
    def start(self, tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
        (tmp_path / "mount").write_text("#!/bin/sh\n")
        (tmp_path / "mount").chmod(0o755)

        def started(machine: str) -> subprocess.Popen[str]:
            words = keeper.words(tmp_path, "lowerdir=x", ["sh", "-c", machine])
            script = words[words.index("sh") :]  # without the mount namespace, which only root may make
            env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "COUNT": str(tmp_path / "count")}
            return subprocess.Popen(script, env=env, stdout=subprocess.PIPE, text=True)

        return started

    def test_a_reboot_from_within_starts_the_machine_again(self, start: Callable[[str], subprocess.Popen[str]]) -> None:
        with start('echo booted; [ -e "$COUNT" ] && exit 3; touch "$COUNT"; exit 133') as kept:
            assert kept.communicate(timeout=5)[0] == "booted\nbooted\n"
            assert kept.returncode == 3

    def test_asked_to_end_it_lets_the_machine_shut_down_first(
        self, start: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        with start('trap "sleep 0.1; echo down; exit 133" TERM; echo up; while :; do sleep 0.01; done') as kept:
            assert kept.stdout is not None
            assert kept.stdout.readline() == "up\n"
            kept.terminate()
            assert kept.communicate(timeout=5)[0] == "down\n"

    def test_a_command_joins_its_groups_before_it_becomes_the_machine(self, tmp_path: Path) -> None:
        groups = [tmp_path / "a group", tmp_path / "b"]
        for group in groups:
            group.mkdir()
        subprocess.run(keeper.join(groups, [], ["true"]), check=True)
        assert len({(group / "cgroup.procs").read_text() for group in groups}) == 1
