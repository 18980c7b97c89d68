"""A cloud on loopback for the tests of each module that ask for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.cloud_here import Cloud, cloud


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    """The cloud; what one test makes in it is there for the next."""
    with cloud() as made:
        yield made
