"""The picture in the README: what stays, what is made stable, where it goes."""

from __future__ import annotations

import pytest

from demo.transcript import Typed, placed, render, stable


@pytest.mark.parametrize(
    ("seen", "written"),
    [
        ("-----> Launched v12 in 3.42s", "-----> Launched v12 in …s"),
        ("took 12 seconds, sent 2.1 KB", "took … seconds, sent … KB"),
        ("-----> Compressing... done, 54.1M", "-----> Compressing... done, …M"),
        ("   1f9c3ab..77e01d2  main -> main", "   0a1b2c3..0a1b2c3  main -> main"),
        (
            "v3  Deploy 12345678      root@vm-7.x  2026/11/23 23:18:01 +0000 (~ 12m ago)",
            "v3  Deploy 0a1b2c3  ada@laptop  2026-01-01 12:00:00 (~ 1m ago)",
        ),
        ("Running date on my-app... done, run.7850 (Basic)", "Running date on my-app... done, run.1234 (Basic)"),
        ("http://shop.localhost:8083/ deployed", "http://shop.localhost:8080/ deployed"),
        ("Created postgresql-shallow-42017", "Created postgresql-gentle-12345"),
        ("\x1b[36mweb.1\x1b[0m up  ", "web.1 up"),
    ],
)
def test_what_differs_from_run_to_run_is_made_stable(seen: str, written: str) -> None:
    assert stable(seen) == written + "\n"


@pytest.mark.parametrize(
    "line",
    [
        "-----> Using Python 3.13.5",
        "http://my-portfolio-app.localhost:8080/",
        "Free plan: 20 connections",
        "v12 serving",
    ],
)
def test_what_tells_something_stays(line: str) -> None:
    assert stable(line) == line + "\n"


def test_a_session_reads_like_a_terminal() -> None:
    session = (Typed("deployer ps", ("=== web", "web.1: up")), Typed("true", ()))
    assert render(session) == "$ deployer ps\n=== web\nweb.1: up\n$ true\n"


def test_the_picture_replaces_only_what_stands_between_the_markers() -> None:
    document = "above\n<!-- demo: begin -->\nold\n<!-- demo: end -->\nbelow\n"
    once = placed(document, "$ new\n")
    assert once == "above\n<!-- demo: begin -->\n```console\n$ new\n```\n<!-- demo: end -->\nbelow\n"
    assert placed(once, "$ new\n") == once


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="has no"):
        placed("no markers", "$ new\n")


def test_long_lists_are_shortened() -> None:
    details = "".join(f"       thing {n}\n" for n in "abcdef")
    assert stable(f"-----> Preparing\n{details}done\n") == (
        "-----> Preparing\n       thing a\n       thing b\n       thing c\n       ...\ndone\n"
    )


def test_a_list_that_dots_would_not_shorten_stays() -> None:
    text = "".join(f"remote:        thing {n}\n" for n in "abcd")
    assert stable(text) == text


def test_what_a_machine_does_once_is_left_out_with_its_details() -> None:
    seen = "-----> Making the platform image debian-13\n       Unpacking\n       Made\n-----> Preparing sandbox-h1\n"
    assert stable(seen) == "-----> Preparing sandbox-h1\n"
    assert stable("remote:        Downloading wagtail (9.4MiB)\nremote:  Downloaded wagtail\n") == ""
