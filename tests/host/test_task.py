"""How a release dyno ended, as its helper wrote it."""

import pytest

from deployer.host.task import parse_status


@pytest.mark.parametrize(
    ("text", "status"),
    [("exited 0\n", 0), ("exited 3\n", 3), ("killed TERM\n", 143), ("dumped SEGV\n", 139), ("failed 1\n", 1), ("", 1)],
)
def test_the_status_is_a_shells(text, status):
    assert parse_status(text) == status
