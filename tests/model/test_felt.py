"""When a release that has just taken over counts as worse than the one before."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.felt import (
    FEWEST,
    LONGEST,
    QUIET,
    USUAL,
    Felt,
    baseline,
    is_worse,
    seconds_to_watch,
)

felt = st.integers(0, 5000).flatmap(lambda n: st.builds(Felt, st.just(n), st.integers(0, n)))


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        (Felt(500, 0), Felt(60, 20), True),  # every third
        (Felt(500, 0), Felt(20, 7), True),
        (Felt(500, 0), Felt(19, 19), False),  # too few to say
        (Felt(500, 0), Felt(300, 4), False),
        (Felt(10_000, 5), Felt(1000, 40), False),  # more, but not well above
        (Felt(200, 10), Felt(180, 9), False),  # 5 % before, 5 % after
        (Felt(200, 10), Felt(180, 60), True),
        (Felt(0, 0), Felt(100, 20), False),  # nobody knows what is usual
        (Felt(0, 0), Felt(100, 90), True),
        (Felt(300, 290), Felt(300, 300), False),  # it was broken before
        (Felt(300, 150), Felt(300, 290), True),
    ],
)
def test_cases(old: Felt, new: Felt, worse: bool) -> None:
    assert is_worse(old, new) is worse


@given(felt, felt)
def test_what_does_no_worse_than_the_old_is_never_worse(old: Felt, new: Felt) -> None:
    if new.failed * old.requests <= old.failed * new.requests and old.requests >= FEWEST:
        assert not is_worse(old, new)


@given(felt, felt, st.integers(0, 50))
def test_more_failures_never_make_it_better(old: Felt, new: Felt, more: int) -> None:
    if is_worse(old, new):
        assert is_worse(old, Felt(new.requests, min(new.requests, new.failed + more)))


@given(felt, felt)
def test_few_requests_prove_nothing(old: Felt, new: Felt) -> None:
    if new.requests < FEWEST:
        assert not is_worse(old, new)


@given(felt, felt, st.booleans())
def test_the_watch_has_an_end_and_is_short_where_nobody_asks(old: Felt, new: Felt, asked: bool) -> None:
    seconds = seconds_to_watch(old, new, asked=asked)
    assert seconds in (QUIET, USUAL, LONGEST)
    assert (seconds == QUIET) == (not asked and new.requests == 0)


def test_failures_that_are_too_few_to_judge_are_looked_at_longer() -> None:
    assert seconds_to_watch(Felt(500, 0), Felt(9, 3), asked=True) == LONGEST
    assert seconds_to_watch(Felt(500, 0), Felt(9, 0), asked=True) == USUAL
    assert seconds_to_watch(Felt(200, 10), Felt(180, 9), asked=True) == USUAL


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3, 0.9])
def test_looking_again_and_again_raises_no_false_alarm(share: float) -> None:
    """2,000 watches of a release that fails just as often as the one before."""
    chance = random.Random(20261124)
    alarms = sum(_watched(chance, share, share) for _ in range(2000))
    assert alarms <= 2


@pytest.mark.parametrize("before", [0.0, 0.05])
def test_that_every_third_request_fails_is_found(before: float) -> None:
    chance = random.Random(20261124)
    assert sum(_watched(chance, before, 1 / 3) for _ in range(500)) >= 495


def _watched(chance: random.Random, before: float, after: float) -> bool:
    """Whether a watch at 20 requests a second, with a look every half second, ends with an alarm."""
    old, new, age = _asked(chance, 120, before), Felt(), 0.0
    while True:
        new, age = new + _asked(chance, 10, after), age + 0.5
        if is_worse(old, new):
            return True
        if age >= seconds_to_watch(old, new, asked=True):
            return False


def _asked(chance: random.Random, requests: int, share: float) -> Felt:
    return Felt(requests, sum(chance.random() < share for _ in range(requests)))


def test_the_last_moments_tell_more_than_all_that_was_counted_if_there_is_enough_of_them() -> None:
    assert baseline(Felt(60, 0), Felt(9000, 4000)) == Felt(60, 0)
    assert baseline(Felt(6, 0), Felt(9000, 4000)) == Felt(9000, 4000)
