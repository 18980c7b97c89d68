"""Colours of log lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.cli.log_colours import Painter

ROUTER = (
    '2026-09-16T02:42:41.772115+00:00 heroku[router]: at=error code=H12 method=GET path="/a b" host=x fwd="1.2.3.4" '
    "dyno=web.1 connect=1ms service=30000ms status=503 bytes=0"
)


def test_a_types_header_always_has_the_same_colour() -> None:
    painter = Painter(True)
    first, again, other = (
        painter.painted(f"t app[{dyno}]: hello").partition("t app")[0] for dyno in ("clock.1", "clock.2", "mailer.1")
    )
    assert first == again != other
    assert painter.painted("t app[web.3]: x").startswith("\x1b[36m")


@pytest.mark.parametrize(
    ("text", "colour"),
    [("error", 31), ("H12", 31), ("GET", 35), ('"/a b"', 32), ("web.1", 36), ("1ms", 32), ("30000ms", 31), ("503", 31)],
)
def test_a_routers_line_shows_what_went_wrong(text: str, colour: int) -> None:
    assert f"\x1b[{colour}m{text}\x1b[0m" in Painter(True).painted(ROUTER)


def test_states_are_coloured_in_lines_about_states_only() -> None:
    painter = Painter(True)
    assert "\x1b[32mup\x1b[0m" in painter.painted("t heroku[web.1]: State changed from starting to up")
    assert painter.painted("t app[web.1]: I am up").endswith(" I am up")


@given(st.text())
def test_colours_change_no_text(text: str) -> None:
    line = f"t app[web.1]: {text}"
    assert re.sub(r"\x1b\[\d+m", "", Painter(True).painted(line)) == re.sub(r"\x1b\[\d+m", "", line)
    assert Painter(False).painted(line) == line
