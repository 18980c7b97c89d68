"""Ports go around in a circle."""

import json
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import ports
from deployer.host.paths import Paths


@pytest.mark.parametrize(
    ("taken", "last", "count", "chosen"),
    [
        (set(), 9999, 2, [7000, 7001]),
        (set(), 7004, 1, [7005]),
        ({7005, 7007}, 7004, 2, [7006, 7008]),
        ({7000}, 9998, 3, [9999, 7001, 7002]),
    ],
)
def test_the_next_free_ports_are_chosen(taken, last, count, chosen):
    assert ports.choose(taken, last, count) == chosen


def test_when_all_are_taken_the_numbers_are_said():
    with pytest.raises(HostFailure) as failure:
        ports.choose(set(range(7000, 9999)), 7000, 2)
    assert failure.value.details == {"wanted": 2, "free": 1}


def test_a_port_that_a_router_may_still_name_is_not_given_again(tmp_path: Path):
    paths = Paths(tmp_path)
    for app, file, port in (("shop", "routes.json", 7000), ("blog", "staged.json", 7001)):
        paths.app(app).root.mkdir(parents=True)
        (paths.app(app).root / file).write_text(json.dumps({"servers": [{"port": port}]}))
    first = ports.allocate(paths, {7002}, 1)
    assert not {7000, 7001, 7002} & set(first)
    assert ports.allocate(paths, {7002}, 1)[0] > first[0]


@pytest.mark.parametrize("left", ["", "70", "x"])
def test_what_a_killed_agent_left_of_the_last_port_stops_nobody(tmp_path: Path, left: str):
    paths = Paths(tmp_path / "srv", tmp_path)
    paths.apps.mkdir(parents=True)
    (paths.root / "last-port").write_text(left)
    first, second = ports.allocate(paths, set(), 1), ports.allocate(paths, set(), 1)
    assert 7000 <= first[0] < second[0] <= 9999
