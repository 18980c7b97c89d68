"""journald's native protocol, and its entries."""

import pytest

from deployer.host import journal


def test_a_value_of_several_lines_carries_its_length():
    entry = journal.encode({"MESSAGE": "a\nb", "PRIORITY": "6"})
    assert entry == b"MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=6\n"


def test_bytes_that_are_no_text_stay_what_they_are():
    assert journal.encode({"MESSAGE": b"\xff".decode(errors="surrogateescape")}) == b"MESSAGE=\xff\n"


@pytest.mark.parametrize(
    ("raw", "text"),
    [("plain", "plain"), ([27, 91, 109, 255], "\x1b[m\udcff"), (None, "")],
)
def test_messages_come_as_text_as_bytes_or_not_at_all(raw, text):
    assert journal.message({"MESSAGE": raw}) == text
