"""Whether an operation that was cut off came to its commit point: what decides between finishing and undoing."""

from __future__ import annotations

import pytest

from deployer.model.app import Current, Operation

DEPLOY = Operation("deploy", "boot", 7, 6, token=3, generation=12)
SCALE = Operation("ps:scale", "boot", 6, 6, token=3, generation=12)


@pytest.mark.parametrize(
    ("operation", "current", "is_in"),
    [
        (DEPLOY, Current(6, 11), False),
        (DEPLOY, Current(7, 12), True),
        (DEPLOY, None, False),
        (SCALE, Current(6, 11), False),
        (SCALE, Current(6, 12), True),
        (Operation("ps:scale", "undo", 6, 6, token=3, generation=12), Current(6, 12), False),
        (Operation("deploy", "boot", 7, 6, token=3), Current(7, 12), True),
    ],
)
def test_an_operation_is_in_when_its_release_and_its_generation_are(
    operation: Operation, current: Current | None, is_in: bool
) -> None:
    assert operation.is_in(current) == is_in
