"""When a host of AWS looks at everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import myself
from deployer.host.converge import FULL, Seen, alone
from deployer.host.paths import Paths
from deployer.model.joining import JoinOrder


def test_it_looks_at_everything_now_and_then_and_sooner_where_something_is_to_come() -> None:
    seen = Seen("i-1", "AROA:i-1", at=1000.0)
    assert [seen.is_due(1000.0 + FULL - 1), seen.is_due(1000.0 + FULL)] == [False, True]
    assert replace(seen, busy=True).is_due(1001.0)
    waits = [next(s for s in range(0, 1000, 10) if replace(seen, behind=n).is_due(1000.0 + s)) for n in range(1, 10)]
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300, 300]


def test_one_at_a_time_is_at_it(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with alone(paths, wait=False) as first, alone(paths, wait=False) as second:
        assert (first, second) == (True, False)
    with alone(paths, wait=True) as again:
        assert again


def test_a_host_that_did_not_join_by_itself_has_nothing_to_follow(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(HostFailure) as failure:
        myself.remembered(paths)
    assert failure.value.code == "not-joined"


def test_what_it_was_told_is_there_for_its_timer(tmp_path: Path) -> None:
    told = JoinOrder("production", "store", "eu-central-1", has_front=False, address="eipalloc-1")
    myself.remember(Paths(tmp_path), told)
    assert myself.remembered(Paths(tmp_path)) == told
