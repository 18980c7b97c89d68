"""The only host of a space in AWS replaced by another one, to which the space's address moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.box.box import box
from tests.box.person import at_work
from tests.box.test_hosts_die import dynos, visitor

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(600)]


def test_new_requests_find_the_new_host(tmp_path: Path) -> None:
    with box(hooks={"drain": 60}) as here, at_work(here, tmp_path, "shop", "python_flask_worker") as ada:
        ada.describes()
        ada.brings_up()
        ada.types("ps:scale", "worker=1")
        [old], before = here.instances(), dynos(ada)
        with visitor(ada) as seen:
            ada.types("hosts:roll", "--space", "production", "--host", old.id, "--yes")
        assert "connections that are open when the address moves break" in ada.err
        assert seen[200] > 50 and seen.total() - seen[200] <= 2, seen  # those that were open as the address moved
        [new] = here.instances()
        assert new.id != old.id
        # What takes no requests starts when the other one has ended it, at the next turn of the timer.
        here.wait(lambda: {name for _, name in dynos(ada)} == {name for _, name in before})
        ada.types("hosts:roll", "--space", "production", "--host", old.id, "--yes")
        assert f"{old.id} is gone already." in ada.err
        assert ada.asks()[0] == 200
