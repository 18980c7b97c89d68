"""What is told of the routers' counters."""

from __future__ import annotations

import pytest

from deployer.model.felt import Felt
from deployer.operations.felt import counts, since, told


def test_what_came_between_is_summed_over_routers_also_over_one_that_began_anew() -> None:
    before = {"h1": Felt(100, 3), "h2": Felt(5000, 9)}
    after = {"h1": Felt(110, 4), "h2": Felt(7, 1), "h3": Felt(2, 0)}
    assert since(before, after) == Felt(10 + 7 + 2, 1 + 1)


def test_a_router_that_does_not_run_counts_nothing() -> None:
    assert counts([("h1", {"requests": 4, "failed": 1}), ("h2", None)]) == {"h1": Felt(4, 1)}


@pytest.mark.parametrize(
    ("during", "words"),
    [
        (Felt(1204, 0), "0 of 1,204 requests failed meanwhile"),
        (Felt(1, 1), "1 of 1 request failed meanwhile"),
        (Felt(0, 0), None),
    ],
)
def test_failures_are_told_where_somebody_asked(during: Felt, words: str | None) -> None:
    assert told(during) == words
