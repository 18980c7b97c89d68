"""`make demo-aws`, played to its end: hosts, database and load balancer are real, the AWS behind them is played."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import aws
from tests.box.box import Box, box

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    with box(hooks={"drain": 2.0}) as made:
        yield made


def test_from_an_empty_account_to_a_site_and_back(here: Box, tmp_path: Path) -> None:
    said: list[str] = []
    shown = aws.show(here, tmp_path, said.append)
    text = "".join(said)
    assert "200: Hello from my own account!\n" in text and "Nothing of production is left in AWS: $0.00." in text
    pushed, died = shown.asked[aws.PUSH], shown.asked[aws.DIES]
    assert pushed.keys() == {200} and pushed[200] > 20, pushed
    assert died[200] > 10 and died.total() - died[200] <= 16, died  # those that were with the host that died
    assert len(list(aws.times(shown.took))) == len(aws.EXPECTED) + 1
