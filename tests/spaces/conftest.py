"""An account of AWS in moto, for tests of what asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployer.spaces.aws.account import Account
from tests.infra.moto_here import REGION, moto, reset


@pytest.fixture(scope="module")
def emulated() -> Iterator[str]:
    """Where moto answers."""
    with moto() as endpoint:
        yield endpoint


@pytest.fixture
def account(emulated: str) -> Account:
    """One with nothing in it."""
    reset(emulated)
    return Account(REGION, emulated)
