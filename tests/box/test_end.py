"""What is left of a box, however it ends: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.box.box import box
from tests.box.ordered import keep, order
from tests.hosts.sweep import alone
from tests.infra.cloud_here import ROOT

pytestmark = pytest.mark.hosts
# A run with a host and a load balancer, which says what is to be looked for, and waits to be killed.
KILLED = """
import time
from tests.box.box import box
from tests.box.ordered import balance, keep, order
with box() as here:
    made = order(here)
    keep(made, "#!/bin/sh", 1, [balance(made)])
    here.wait(lambda: here.instances() and here.front.front.balancers)
    print(here.ground.record.tag, here.ground.folder, flush=True)
    time.sleep(60)
"""


def test_nothing_is_left() -> None:
    """Of a host that is booting."""
    with box() as short:
        ordered = order(short)
        keep(ordered, "#!/bin/sh\nsleep 60\n", 1)
        short.wait(short.instances)
        record, folder = short.ground.record, short.ground.folder
    assert not left(record.tag) and not folder.exists()


def test_the_next_run_sweeps_what_a_killed_one_left() -> None:
    words = [sys.executable, "-c", KILLED]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout
        tag, folder = child.stdout.readline().split()
        child.kill()
    assert left(tag)
    with alone():
        assert not left(tag) and not Path(folder).exists()


def left(tag: str) -> list[str]:
    """What the kernel, and the list of processes, have of a box."""
    places = {"/sys/class/net": f"dpl{tag}*", "/run/netns": f"dpl{tag}*", "/sys/fs/cgroup": f"**/dpl{tag}*"}
    found = [str(path) for place, names in places.items() for path in Path(place).glob(names)]
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return found + [line for line in processes if f"dpl{tag}" in line]
