"""How the agent sees that a dyno has ended."""

from __future__ import annotations

import subprocess
import time

import pytest

from deployer.host.watch import await_an_end, has_fallen


@pytest.mark.parametrize(
    ("state", "fallen"),
    [
        ({"ActiveState": "active", "SubState": "running", "NRestarts": "0"}, False),
        ({"ActiveState": "active", "SubState": "running", "NRestarts": "1"}, True),
        ({"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "0"}, True),
        ({"ActiveState": "failed", "SubState": "failed", "NRestarts": "0"}, True),
        ({"ActiveState": "inactive", "SubState": "dead", "NRestarts": "0"}, True),
    ],
)
def test_a_dyno_has_fallen_also_where_it_runs_again(state: dict[str, str], fallen: bool) -> None:
    assert has_fallen(state) is fallen


def test_the_end_of_a_process_is_told_at_once() -> None:
    with subprocess.Popen(["sleep", "0.2"]) as short, subprocess.Popen(["sleep", "30"]) as long:
        began = time.monotonic()
        try:
            assert await_an_end([short.pid, long.pid], 20)
            assert time.monotonic() - began < 10
            assert not await_an_end([long.pid], 0.05)
        finally:
            long.kill()


def test_a_process_that_is_gone_already_is_not_waited_for() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert not await_an_end([gone.pid], 0.05)
    assert not await_an_end([], 0.05)
