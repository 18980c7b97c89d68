"""docs/reliability.md lists what the tests on hosts try."""

from __future__ import annotations

from collections.abc import Callable

from tests.hosts.cases import CASES
from tests.recorded import load
from tests.reliability import RECORD, page


def test_the_page_lists_the_cases_that_are_tried(golden: Callable[[str, str], None]) -> None:
    golden("../../docs/reliability.md", page(load(RECORD)))


def test_no_case_is_tried_twice() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
