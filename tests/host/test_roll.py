"""Who counts in a space: what hosts are told, what a router finds out by itself, which ports stay taken."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.host import ports, roll, roll_lua, router_service
from deployer.host import router as host_router
from deployer.host.paths import Paths
from deployer.host.router_settings import Settings
from deployer.model.roll import Roll
from tests.host.router_bench import Bench, bench, wait_for


def told(made: Bench, known: Roll) -> None:
    """As the call does it, on a router of the test's."""
    made.router = replace(made.router, settings=replace(made.router.settings, roll=known, ready=known.counts))
    host_router.follow_maps(made.router)


def readiness(made: Bench) -> tuple[int, str]:
    answer = made.get("/-/ready", host="10.0.0.7")
    return answer.status, answer.body.strip()


def test_what_a_host_was_told_last_stays(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert roll.read(paths) == Roll()
    known = Roll(7, "h1", ("10.0.0.12",), {"h2": 7}, (7001, 7002))
    roll.save(paths, known)
    assert roll.read(paths) == known
    (tmp_path / "roll.json").write_text("{")
    assert roll.read(paths) == Roll(), "half a file, as of a disk that was full, is none"


def test_a_port_that_a_router_which_is_left_out_may_name_is_not_given_away(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    (tmp_path / "last-port").write_text("7000\n")
    roll.save(paths, Roll(7, "h1", (), {"h2": 7}, tuple(range(7001, 7051))))
    assert ports.allocate(paths, set(), 1)[0] > 7050
    (tmp_path / "last-port").write_text("7000\n")
    roll.save(paths, Roll(8, "h1"))
    assert ports.allocate(paths, set(), 1)[0] <= 7050


@pytest.mark.edge
def test_a_router_learns_from_the_others_that_it_is_left_out_and_when_it_counts_again() -> None:
    with ExitStack() as stack:
        peer = stack.enter_context(bench())
        cut_off = stack.enter_context(bench(peer_port=peer.port))
        cut_off.switch(cut_off.serve("app"))
        told(peer, Roll(4, "h1"))
        told(cut_off, Roll(4, "h2", ("127.0.0.1",)))
        wait_for(lambda: readiness(cut_off) == (200, "ready"))
        told(peer, Roll(5, "h1", out={"h2": 5}))
        wait_for(lambda: readiness(cut_off) == (503, "behind"))
        assert cut_off.get().body == "app /\n", "who comes all the same is answered"
        assert readiness(peer) == (200, "ready")
        peer.process.stop()
        time.sleep(2.5 * roll_lua.EVERY / 1000)
        assert readiness(cut_off) == (503, "behind"), "also when nobody says so any more"
        told(cut_off, Roll(6, "h2", ("127.0.0.1",)))
        wait_for(lambda: readiness(cut_off) == (200, "ready"))


@pytest.mark.edge
def test_a_router_that_has_just_started_asks_before_it_is_ready() -> None:
    with ExitStack() as stack:
        peer = stack.enter_context(bench())
        told(peer, Roll(5, "h1", out={"h2": 5}))
        booted = stack.enter_context(bench(peer_port=peer.port, roll=Roll(4, "h2", ("127.0.0.1",))))
        starts(booted)
        seen = {readiness(booted) for _ in range(50)}
        assert seen == {(503, "behind")}, "not for a moment did it want requests"
        told(peer, Roll(6, "h1"))
        told(booted, Roll(6, "h2", ("127.0.0.1",)))
        starts(booted)
        wait_for(lambda: readiness(booted) == (200, "ready"))


def starts(made: Bench) -> None:
    """As the service does after a boot: the file that the unit makes is there meanwhile."""
    made.process.stop()
    mark = made.router.settings.run / roll_lua.STARTING
    mark.touch()
    made.process.start()
    wait_for(lambda: listens(made))
    mark.unlink()


def listens(made: Bench) -> bool:
    with suppress(OSError):
        return made.try_get() != ""
    return False


def test_the_service_marks_its_start_as_the_program_expects() -> None:
    run = Settings().run
    assert f"ExecStartPre=/usr/bin/touch {run}/{roll_lua.STARTING}" in router_service.DROPIN
    assert f"ExecStartPost=/usr/bin/rm -f {run}/{roll_lua.STARTING}" in router_service.DROPIN
