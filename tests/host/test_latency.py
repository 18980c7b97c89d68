"""How long requests took, from lines as the journal gives them: `journalctl --output=short-unix --reverse`."""

from __future__ import annotations

from collections.abc import Iterator

from deployer.host import latency
from deployer.host.latency import took
from deployer.model.latency import Took, decoded, encoded, of_times
from tests.host.test_router_line import PLAIN, logged

OLDEST, SINCE = 940.0, 1000.0


def entry(at: float, message: str) -> str:
    return f"{at:.6f} web-1 haproxy[77]: {message}\n"


def test_requests_are_those_of_the_app_in_the_change_and_before_it() -> None:
    lines = [
        entry(1003.5, logged(total="31")),
        entry(1003.4, PLAIN.replace("be_shop", "be_blog")),
        entry(1003.3, PLAIN.replace('path="/a?b=#22c"', 'path="/ be=be_blog "')),
        entry(1003.2, "Server be_shop/web.1 is UP."),
        entry(1000.0, logged(total="+20")),
        entry(999.9, logged(total="7")),
        entry(940.1, logged(total="9")),
        entry(939.9, logged(total="9000")),
    ]
    assert took("shop", lines, OLDEST, SINCE) == Took(of_times([7, 9]), of_times([14, 20, 31]))
    assert took("blog", lines, OLDEST, SINCE) == Took(during=of_times([14]))
    assert took("shop", [], OLDEST, SINCE) == Took()


def test_of_more_lines_than_are_read_nothing_is_said_that_they_do_not_show() -> None:
    def lines(every: float) -> Iterator[str]:
        return (entry(1010 - n * every, PLAIN) for n in range(latency.MOST))

    assert took("shop", lines(0.0001), OLDEST, SINCE) is None
    found = took("shop", lines(0.002), OLDEST, SINCE)
    assert found and (found.during.requests, found.before.requests) == (5001, latency.MOST - 5001)


def test_what_routers_tell_adds_up() -> None:
    one, other = Took(of_times([3, 3]), of_times([5])), Took(of_times([3, 9]), of_times([]))
    assert one + other == Took(of_times([3, 3, 3, 9]), of_times([5]))
    assert decoded(encoded(one)) == one
    assert (encoded(None), decoded(None)) == (None, None)
    found = (one + other).before
    assert (found.requests, found.median, found.slowest) == (4, 3, 9)
