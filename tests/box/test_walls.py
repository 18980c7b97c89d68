"""Security groups as nftables: the pure part."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.box.walls import Rule, render

WEB = Rule("tcp", (80, 443), ("0.0.0.0/0",))
THEMSELVES = Rule("tcp", (0, 65_535), ("10.217.0.5", "10.217.0.4"))
NOBODY = Rule("tcp", (22, 22), ())  # a group that is empty yet
PING = Rule("icmp", (-1, -1), ("10.0.0.0/8",))
OUT = Rule("-1", (0, 65_535), ("0.0.0.0/0",))


def test_rules_of_groups_become_a_table(golden: Callable[[str, str], None]) -> None:
    golden("box/walls.nft", render([WEB, THEMSELVES, NOBODY, PING, WEB], [OUT]))


@pytest.mark.edge
def test_nft_reads_it() -> None:
    text = render([WEB, THEMSELVES, NOBODY, PING], [OUT])
    done = subprocess.run(["nft", "--check", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0 or "Operation not permitted" in done.stderr, done.stderr


def test_without_rules_nothing_but_answers_comes_in() -> None:
    assert "dport" not in render([], []) and "policy drop" in render([], [])
