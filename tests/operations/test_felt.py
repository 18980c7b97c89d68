"""What is told of the routers' counters."""

from __future__ import annotations

import pytest

from deployer.model.felt import Felt, Stayed
from deployer.model.latency import Took, of_times
from deployer.operations.felt import counts, since, told


def test_what_came_between_is_summed_over_routers_also_over_one_that_began_anew() -> None:
    before = {"h1": Felt(100, 3), "h2": Felt(5000, 9)}
    after = {"h1": Felt(110, 4), "h2": Felt(7, 1), "h3": Felt(2, 0)}
    assert since(before, after) == Felt(10 + 7 + 2, 1 + 1)


def test_a_router_that_does_not_run_counts_nothing() -> None:
    assert counts([("h1", {"requests": 4, "failed": 1}), ("h2", None)]) == {"h1": Felt(4, 1)}


BEFORE, DURING = of_times([8] * 50 + [12] * 51 + [310]), of_times([14] * 30 + [1520])


@pytest.mark.parametrize(
    ("during", "took", "stayed", "words"),
    [
        (Felt(1204, 0), None, Stayed(), ["0 of 1,204 requests failed meanwhile"]),
        (Felt(1, 1), Took(), Stayed(), ["1 of 1 request failed meanwhile"]),
        (Felt(0, 0), None, Stayed(), []),
        (
            Felt(31, 0),
            Took(BEFORE, DURING),
            Stayed(3, 0, 30),
            [
                "0 of 31 requests failed meanwhile",
                "latency: median 14 ms, slowest 1.5 s (before: median 12 ms, slowest 310 ms)",
                "3 connections stayed with the old dynos, none cut",
            ],
        ),
        (
            Felt(2, 0),
            Took(during=of_times([5, 7])),
            Stayed(1, 1, 30),
            [
                "0 of 2 requests failed meanwhile",
                "latency: median 5 ms, slowest 7 ms",
                "1 connection stayed with the old dynos, 1 cut after 30 s",
            ],
        ),
    ],
)
def test_what_users_felt_is_told_as_far_as_it_is_known(
    during: Felt, took: Took | None, stayed: Stayed, words: list[str]
) -> None:
    assert list(told(during, took, stayed)) == words
