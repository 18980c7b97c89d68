"""What an agent says of its host."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.host.facts import parse_os_release, tokens
from deployer.host.fence import fenced
from deployer.host.paths import Paths


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n', "debian-13"),
        ("ID='ubuntu'\nVERSION_ID='24.04'\nID_LIKE=debian\n", "ubuntu-24.04"),
        ("ID=debian\n# testing has no number\n", "debian"),
    ],
)
def test_the_system_is_read_from_os_release(text: str, system: str) -> None:
    assert parse_os_release(text) == system


def test_tokens_are_those_of_all_apps(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert tokens(paths) == {}
    for app, token in (("shop", 7), ("blog", 2), ("shop", 9)):
        with fenced({"app": app, "token": token}, paths, required=True):
            pass
    assert tokens(paths) == {"blog": 2, "shop": 9}
