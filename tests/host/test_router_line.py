"""HAProxy's log lines, as it wrote them, and Heroku's."""

from __future__ import annotations

import pytest

from deployer.host import router_line

PLAIN = (
    'be=be_shop code=- method=GET path="/a?b=#22c" host=shop.test request_id=6903a168-b79b fwd="203.0.113.9" '
    "dyno=web.1 held=- connect=0 total=14 status=200 bytes=131 protocol=1.1 tls=- term=--"
)


def logged(**changes: str) -> str:
    """HAProxy's line, with other values in some fields."""
    line = PLAIN
    for name, value in changes.items():
        before = line.split(f" {name}=")[1].split(" ")[0]
        line = line.replace(f" {name}={before}", f" {name}={value}")
    return line


def heroku(**changes: str) -> str:
    found = router_line.parse(logged(**changes))
    assert found is not None and found.app == "shop"
    return found.text


def test_a_plain_request() -> None:
    assert heroku() == (
        'at=info method=GET path="/a?b=%22c" host=shop.test request_id=6903a168-b79b fwd="203.0.113.9" dyno=web.1 '
        "connect=0ms service=14ms status=200 bytes=131 protocol=http1.1 tls=false"
    )


def test_a_timeout() -> None:
    assert heroku(code="H12", status="503", total="30002", term="sH", tls="1") == (
        'at=error code=H12 desc="Request timeout" method=GET path="/a?b=%22c" host=shop.test '
        'request_id=6903a168-b79b fwd="203.0.113.9" dyno=web.1 connect=0ms service=30002ms status=503 bytes=131 '
        "protocol=http1.1 tls=true"
    )


def test_without_a_dyno_what_is_unknown_stays_empty() -> None:
    text = heroku(code="H14", status="503", dyno="<NOSRV>", connect="-1", total="0", term="LR")
    assert text.startswith('at=error code=H14 desc="No web processes running" method=GET ')
    assert " dyno= connect= service= status=503 " in text


def test_a_held_request_names_the_dyno_that_answered_in_the_end() -> None:
    assert " dyno=web.2 " in heroku(dyno="hold", held="web.2")
    assert " dyno= connect= " in heroku(dyno="hold", held="-", code="H20", status="503")


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        ({"term": "SD"}, 'sock=backend at=error code=H18 desc="Server Request Interrupted" method='),
        ({"term": "sD"}, 'at=error code=H15 desc="Idle connection" method='),
        ({"term": "CD", "total": "55010"}, 'at=error code=H15 desc="Idle connection" method='),
        ({"term": "CD", "total": "900"}, "at=info method="),
        ({"term": "CD", "total": "900000", "status": "101"}, "at=info method="),
        ({"term": "cD"}, 'sock=client at=warning code=H28 desc="Client Connection Idle" method='),
        ({"term": "CH", "status": "499", "code": "H27"}, 'sock=client at=warning code=H27 desc="Client Request'),
        ({"term": "SH", "status": "-1"}, 'at=error code=H13 desc="Connection closed without response" method='),
        ({"code": "H80", "status": "503"}, 'at=info code=H80 desc="Maintenance mode" method='),
    ],
)
def test_what_breaks_is_told_by_the_termination_state(changes: dict[str, str], beginning: str) -> None:
    assert heroku(**changes).startswith(beginning)


@pytest.mark.parametrize("line", ["Proxy web started.", "", PLAIN.replace("be_shop", "no_app"), PLAIN + " more"])
def test_other_lines_are_nobodys(line: str) -> None:
    assert router_line.parse(line) is None


@pytest.mark.parametrize(
    ("changes", "milliseconds"),
    [
        ({}, 14),
        ({"total": "+30002", "status": "503", "code": "H12"}, 30002),
        ({"status": "101", "total": "900000"}, None),  # a conversation
        ({"status": "-1", "term": "CH"}, None),  # nobody waited for the answer
    ],
)
def test_how_long_a_request_took(changes: dict[str, str], milliseconds: int | None) -> None:
    assert router_line.took("shop", logged(**changes)) == milliseconds
    assert router_line.took("shop-2", logged(**changes)) is None
