"""What a host keeps about a dyno."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors.base import HostFailure
from deployer.host import dyno_files
from deployer.host.dyno_files import Placed
from deployer.host.paths import Paths
from deployer.model.dyno import Dyno

WEB = Placed(Dyno("shop", "web", 1, 12), 20001, "Basic", "gunicorn shop.wsgi", ("a" * 64, "b" * 64), 7001)


CHANGES = {"open", "os.mkdir", "os.rename", "os.chmod", "os.remove", "os.rmdir"}  # audit events (PEP 578)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    here = Paths(tmp_path / "srv", tmp_path / "system")
    for digest in WEB.layers:
        (here.app("shop").layers / digest).mkdir(parents=True)
    return here


def test_what_is_written_is_read_again(paths):
    dyno_files.write(paths, WEB, {})
    assert dyno_files.read_all(paths) == [WEB]
    assert dyno_files.of_app(paths, "sho") == []


def test_the_uppermost_layer_comes_first(paths):
    dyno_files.write(paths, WEB, {})
    lower = (paths.dyno(WEB.instance) / "layers").read_text().strip().split(":")
    assert [Path(path).name[0] for path in lower] == ["b", "a"]


def test_a_layer_that_is_not_there_is_named_before_anything_is_written(paths):
    (paths.app("shop").layers / ("b" * 64)).rmdir()
    with pytest.raises(HostFailure) as failure:
        dyno_files.write(paths, WEB, {})
    assert failure.value.details == {"app": "shop", "layers": ["b" * 64]}
    assert not paths.dyno(WEB.instance).exists()


def test_config_vars_are_for_root_only(paths):
    dyno_files.write(paths, WEB, {"SECRET": "x"})
    assert (paths.dyno(WEB.instance) / "env").stat().st_mode & 0o777 == 0o600


def test_the_host_sets_dyno_and_port_and_config_vars_win_over_memory():
    variables = dyno_files.environment(WEB, {"PORT": "80", "DYNO_RAM": "7", "KEY": "v"})
    assert variables == {"PORT": "7001", "DYNO": "web.1", "DYNO_RAM": "7", "MEMORY_AVAILABLE": "512", "KEY": "v"}


def test_a_process_without_a_port_has_no_port():
    worker = Placed(Dyno("shop", "worker", 1, 12), 20001, "Basic", "work", ())
    assert "PORT" not in dyno_files.environment(worker, {})


def test_nothing_is_left_of_a_removed_dyno(paths):
    dyno_files.write(paths, WEB, {})
    dyno_files.remove(paths, [WEB.instance])
    assert [path for path in (*paths.dynos.rglob("*"), *paths.units.rglob("*"))] == []
    dyno_files.remove(paths, [WEB.instance])


def test_a_half_written_dyno_of_a_killed_agent_is_no_dyno(paths):
    paths.dyno(WEB.instance).mkdir(parents=True)
    (paths.dyno(WEB.instance) / "dyno.json").write_text('{"dyno"')
    assert dyno_files.read_all(paths) == []


def ends_when_killed_at(number: int, work: Callable[[], None]) -> bool:
    """Do it in a process that is killed just before its so-many-th change of a file; whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = itertools.count(1)
        sys.addaudithook(
            lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event in CHANGES and next(left) == number else None
        )
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("work", [dyno_files.write, dyno_files.remove], ids=["write", "remove"])
def test_an_agent_that_is_killed_anywhere_leaves_a_dyno_that_the_next_one_sees_or_nothing(paths, work):
    points = 0
    for points in itertools.count(1):
        dyno_files.remove(paths, [WEB.instance])
        if work is dyno_files.write:
            ended = ends_when_killed_at(points, lambda: dyno_files.write(paths, WEB, {"A": "1"}))
        else:
            dyno_files.write(paths, WEB, {"A": "1"})
            ended = ends_when_killed_at(points, lambda: dyno_files.remove(paths, [WEB.instance]))
        left = [path for path in (*paths.dynos.glob("*.v12/*"), *paths.units.rglob("*.conf"))]
        assert dyno_files.read_all(paths) == [WEB] or not left, f"{left} after {points - 1} changes"
        if ended:
            break
    assert points > 8, "it was killed in its middle, too"


def test_a_name_that_would_be_code_is_refused():
    with pytest.raises(HostFailure):
        dyno_files.shell_exports({"A=1; rm -rf /; B": "x"})


def test_a_size_that_nobody_knows_is_refused():
    with pytest.raises(HostFailure):
        _ = Placed(WEB.dyno, 20001, "Huge", "x", ()).limits


def test_more_than_systemd_hands_over_is_refused_before_anything_is_written(paths):
    with pytest.raises(HostFailure, match="environment-too-large"):
        dyno_files.write(paths, WEB, {f"K{number}": "'" * 100_000 for number in range(3)})
    assert not paths.dyno(WEB.instance).exists()


VALUES = st.binary(max_size=200).map(lambda raw: raw.replace(b"\0", b"").decode(errors="surrogateescape"))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_values_are_byte_exact_after_a_real_shell(values):
    names = {f"V{number}": value for number, value in enumerate(values)}
    script = dyno_files.shell_exports(names) + b"exec env -0\n"
    shell = subprocess.run(["bash", "-c", ". /dev/stdin"], input=script, capture_output=True, check=True, env={})
    seen = dict(item.split(b"=", 1) for item in shell.stdout.split(b"\0") if item)
    assert {name: seen[name.encode()].decode(errors="surrogateescape") for name in names} == names


@pytest.mark.edge
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
def test_a_full_disk_is_told_with_numbers(tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=True)
    try:
        here = Paths(small / "srv", tmp_path / "system")
        with pytest.raises(HostFailure) as failure:
            dyno_files.write(here, replace(WEB, layers=()), {"BIG": "x" * 100_000})
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert failure.value.code == "disk-full"
    assert failure.value.details["needed"] > 100_000 > failure.value.details["free"]
