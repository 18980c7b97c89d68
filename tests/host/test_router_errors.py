"""What users read when a router or a one-off dyno fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployer.errors import host

CODES = {
    "bad-routes": {"app": "shop", "reason": "'a b' is no domain"},
    "router-down": {"reason": "HAProxy did not take its new configuration in 15 s."},
    "dyno-not-started": {"reason": "Failed to start transient service unit: Unit is masked."},
}


@pytest.mark.parametrize("code", CODES)
def test_the_words(golden: Callable[[str, str], None], code: str) -> None:
    golden(f"errors/{code}.txt", str(host.failure("h1", code, CODES[code])) + "\n")
