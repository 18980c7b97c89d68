"""A sandbox whose folder was deleted by hand is known again by its tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.spaces.sandbox import keeper, traces
from deployer.spaces.sandbox.record import tag_of

FOLDER = Path("/home/ada/sandbox/box")
TAG = tag_of(FOLDER)


def test_hosts_are_read_from_the_names_of_links_and_namespaces() -> None:
    names = [f"dpl{TAG}-h1", f"dpl{TAG}h1", f"dpl{TAG}h12", f"dpl{TAG}", "dplabcdefh3", "lo"]
    assert traces.numbers(FOLDER, names) == [1, 12]


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["haproxy", "-db", "-f", f"{FOLDER}/front.cfg"], True),
        (["systemd-nspawn", "--quiet", f"--directory={FOLDER}/hosts/box-h1/root"], True),
        (keeper.words(FOLDER / "hosts/box-h1/root", "lowerdir=/x", ["true"])[3:], True),
        (["vim", f"{FOLDER}/front.cfg"], False),
        (["sh", "-c", f"ls {FOLDER}/hosts/"], False),
        (["systemd-nspawn", "--directory=/home/ada/sandbox/box2/hosts/box2-h1/root"], False),
        ([], False),
    ],
)
def test_only_its_own_processes_are_ended(words: list[str], ours: bool) -> None:
    assert traces.is_ours(FOLDER, words) is ours
