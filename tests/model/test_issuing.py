"""When certificates are asked for, and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deployer.model import issuing
from deployer.model.certificate import ACM, ACME, FAILING, ISSUED, PENDING, Certificate

NOW = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
NEW = issuing.pending("shop.test", NOW)
LIFE = (NOW, NOW + timedelta(days=90))
GOOD = issuing.issued("shop.test", "chain", "key", LIFE, NOW)


def test_what_is_new_is_asked_for_at_once() -> None:
    assert issuing.next_try(None) < NOW
    assert issuing.next_try(NEW) < NOW and (NEW.status, NEW.by) == (PENDING, ACME)


def test_what_is_in_force_is_renewed_when_a_third_of_its_life_is_left() -> None:
    assert issuing.next_try(GOOD) == NOW + timedelta(days=60)
    assert (GOOD.status, GOOD.failures, GOOD.reason) == (ISSUED, 0, "")


@pytest.mark.parametrize(("failures", "minutes"), [(1, 5), (2, 10), (4, 40), (9, 1280), (10, 1440), (500, 1440)])
def test_what_failed_waits_twice_as_long_each_time(failures: int, minutes: int) -> None:
    known = replace(NEW, failures=failures - 1)
    assert issuing.next_try(issuing.failed(known, "no", NOW)) == NOW + timedelta(minutes=minutes)


def test_a_renewal_that_fails_leaves_in_force_what_is() -> None:
    late = NOW + timedelta(days=61)
    failed = issuing.failed(GOOD, "the server is away", late)
    assert failed.is_in_force and failed.status == FAILING and failed.ends == GOOD.ends
    assert issuing.next_try(failed) == late + timedelta(minutes=5)


def test_an_order_that_was_cut_off_counts_as_one_that_failed() -> None:
    begun = issuing.begun(NEW, NOW)
    assert begun.status == PENDING
    assert issuing.next_try(begun) == NOW + timedelta(minutes=5)


def test_what_nobody_was_asked_for_is_looked_at_again_at_once() -> None:
    unasked = issuing.unasked(replace(NEW, asked=""), "DNS does not lead here")
    assert unasked.status == FAILING and issuing.next_try(unasked) < NOW


def test_a_limit_of_the_issuers_says_when_it_is_over() -> None:
    said = "too many certificates (5) already issued, retry after 2026-12-03 08:30:00 UTC: see"
    assert issuing.next_try(issuing.failed(NEW, said, NOW)) == datetime(2026, 12, 3, 8, 30, tzinfo=UTC)
    assert not Certificate("a.test", ACM, PENDING).is_in_force
