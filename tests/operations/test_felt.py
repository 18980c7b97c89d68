"""What is told of the routers' counters."""

from __future__ import annotations

import pytest

from deployer.operations.felt import Felt, between


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (Felt(10, 1), Felt(1214, 1), "0 of 1,204 requests failed meanwhile"),
        (Felt(10, 1), Felt(11, 2), "1 of 1 request failed meanwhile"),
        (Felt(10, 1), Felt(10, 1), None),
        (Felt(5000, 3), Felt(12, 0), None),
    ],
)
def test_failures_are_told_where_somebody_asked_and_nobody_counted_anew(
    before: Felt, after: Felt, told: str | None
) -> None:
    assert between(before, after) == told
