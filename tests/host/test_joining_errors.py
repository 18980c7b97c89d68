"""The words of what stops a host of AWS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployer.errors import host

CODES: dict[str, dict[str, object]] = {
    "aws-refused": {"asked": "reading space", "status": 403, "reason": "AccessDenied: Access Denied"},
    "aws-unanswered": {"asked": "writing seats/1", "reason": "[Errno 110] Connection timed out"},
    "not-in-group": {"instance": "i-0123", "reason": "the group has let go of this host"},
    "store-empty": {"bucket": "deployer-production-store-0a1b2c3", "reason": "the store holds no space yet"},
    "no-seat": {"most": 2, "reason": "All seats are taken. 1: i-0a, 2: i-0b"},
    "not-joined": {},
    "layer-gone": {"layer": "0a" * 32, "reason": "it does not stand on this host"},
    "upload-refused": {"status": 403, "reason": "<Error><Code>ExpiredToken</Code></Error>"},
    "layer-missing": {"layer": "0a" * 32, "reason": "no layers/0a in the store"},
}


@pytest.mark.parametrize("code", CODES)
def test_words(code: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/joining/{code}.txt", f"{host.failure('i-0123', code, CODES[code])}\n")
