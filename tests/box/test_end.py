"""What is left of a box, however it ends: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.box.box import box
from tests.box.ordered import keep, order

pytestmark = pytest.mark.hosts


def test_nothing_is_left() -> None:
    """Of a host that is booting."""
    with box() as short:
        ordered = order(short)
        keep(ordered, "#!/bin/sh\nsleep 60\n", 1)
        short.wait(short.instances)
        record, folder = short.ground.record, short.ground.folder
    assert not Path("/sys/class/net", record.bridge).exists()
    assert not list(Path("/run/netns").glob(f"dpl{record.tag}*"))
    assert not folder.exists() and not list(Path("/sys/fs/cgroup").glob(f"**/dpl{record.tag}*"))
