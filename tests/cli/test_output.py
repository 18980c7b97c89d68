"""Lines on a terminal that is too narrow for them; what is piped keeps them whole."""

from __future__ import annotations

import io

import pytest

from deployer.cli.output import Output

LONG = "launch template deployer-production-host (Debian 13, arm64, t4g.small, 20 GB encrypted, IMDSv2)"


def output(width: int) -> Output:
    return Output(io.StringIO(), io.StringIO(), width=width)


def text(out: Output) -> str:
    assert isinstance(out.out, io.StringIO) and isinstance(out.err, io.StringIO)
    return out.out.getvalue() + out.err.getvalue()


def test_values_are_broken_between_words_below_their_beginning() -> None:
    out = output(80)
    out.values({"Hosts": LONG, "Budget": "none"})
    assert text(out) == (
        "Hosts:  launch template deployer-production-host (Debian 13, arm64, t4g.small,\n"
        "          20 GB encrypted, IMDSv2)\n"
        "Budget: none\n"
    )


def test_warnings_keep_their_mark() -> None:
    out = output(60)
    out.warn("Once the certificate is issued, `deployer up --space production` adds HTTPS.")
    assert text(out) == (
        " !     Once the certificate is issued, `deployer up --space\n !       production` adds HTTPS.\n"
    )


def test_a_line_keeps_its_indentation_and_words_that_are_too_long_stay_whole() -> None:
    assert output(60).wrapped(f"  + {LONG}") == [
        "  + launch template deployer-production-host (Debian 13,",
        "    arm64, t4g.small, 20 GB encrypted, IMDSv2)",
    ]
    address = "a" * 70
    assert output(60).wrapped(f"see {address} and more") == ["see", f"  {address}", "  and more"]


@pytest.mark.parametrize("width", [0, 20, 120])
def test_lines_stay_whole_where_nobody_has_a_terminal_or_it_is_wide_enough(width: int) -> None:
    assert output(width).wrapped(LONG) == [LONG]
