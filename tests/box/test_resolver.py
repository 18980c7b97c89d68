"""What the resolver of the box's network answers."""

from __future__ import annotations

import struct

import pytest

from tests.box.resolver import answer

NAMES = {"shop.rds.amazonaws.com": "10.0.0.7"}


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize("name", ["shop.rds.amazonaws.com", "Shop.RDS.amazonaws.com"])
def test_a_name_that_it_was_told(name: str) -> None:
    said = answer(question(name), NAMES)
    assert struct.unpack("!6H", said[:12]) == (7, 0x8580, 1, 1, 0, 0)
    assert said.endswith(bytes([10, 0, 0, 7]))


def test_no_other_kind_of_address() -> None:
    """The name is there: whoever asks for both kinds is not told that there is none."""
    assert struct.unpack("!6H", answer(question("shop.rds.amazonaws.com", 28), NAMES)[:12]) == (7, 0x8580, 1, 0, 0, 0)


def test_no_name_of_somebody_else() -> None:
    assert struct.unpack("!6H", answer(question("deb.debian.org"), NAMES)[:12]) == (7, 0x8583, 1, 0, 0, 0)
