"""Whether an app answers through its front: real HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deployer.model.events import Done, Event, Warn
from deployer.operations import outside

pytestmark = pytest.mark.edge
Say = Callable[[str], tuple[int, bytes]]
NAME = "shop.example.org"


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[Say]]]:
    """A front on port 80 of a loopback address of its own, which answers by the name that is asked for."""
    say: list[Say] = [lambda name: (200, b"hello")]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = say[0](str(self.headers["Host"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *words: object) -> None:
            """Say nothing."""

    address = "127.99.7.1"
    with ThreadingHTTPServer((address, 80), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield address, say
        server.shutdown()
        thread.join()


def test_an_answer_of_the_app_is_one(front: tuple[str, list[Say]]) -> None:
    told: list[Event] = []
    assert outside.check(front[0], NAME, told.append)
    assert isinstance(told[-1], Done) and told[-1].text == "200 OK"


def test_an_app_without_a_page_at_its_root_answers_too(front: tuple[str, list[Say]]) -> None:
    front[1][0] = lambda name: (404, b"the app's own" if name == NAME else b"no such app")
    assert outside.check(front[0], NAME, lambda event: None, 0.0)


@pytest.mark.parametrize(
    ("says", "seen"), [((503, b"wait"), "503 Service Unavailable"), ((404, b"no such app"), "does not know that app")]
)
def test_what_the_front_says_instead_is_told(front: tuple[str, list[Say]], says: tuple[int, bytes], seen: str) -> None:
    told: list[Event] = []
    front[1][0] = lambda name: says
    assert not outside.check(front[0], NAME, told.append, 0.0)
    assert isinstance(told[-1], Warn) and seen in told[-1].text


def test_it_is_waited_for(front: tuple[str, list[Say]]) -> None:
    answers = iter([(503, b"")])
    front[1][0] = lambda name: next(answers, (200, b"hello"))
    assert outside.check(front[0], NAME, lambda event: None)


def test_a_front_that_is_not_there_is_told() -> None:
    told: list[Event] = []
    assert not outside.check("127.99.7.2", NAME, told.append, 0.0)
    assert isinstance(told[-1], Warn) and "refused" in told[-1].text
