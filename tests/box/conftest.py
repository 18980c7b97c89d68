"""The box that most tests of spaces in AWS share, one for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.box.box import Box, box


@pytest.fixture(scope="module")
def here() -> Iterator[Box]:
    """Hosts that are dead have half a second to drain: nobody does that for them."""
    with box(hooks={"drain": 0.5}) as made:
        yield made
