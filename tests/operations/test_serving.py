"""The last word of a change that failed: what the ledger says serves, and whether its address answers."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from deployer.errors.deploy import NothingDeployed
from deployer.errors.remote import ConnectionLost
from deployer.model.app import App, Current
from deployer.model.formation import Quantity
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.model.space import Space
from deployer.operations.serving import ROUTERS_OWN, answers, named_at_the_end, told
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store.base import Answers, Op
from deployer.store.folder import FolderStore
from deployer.store.ledger import AppState, Ledger
from deployer.version import VERSION

SLUG = Slug("debian-13-amd64", (), {"web": "python server.py"}, ("heroku/python",), 0)
APP_JSON = '{"healthchecks": {"path": "/up"}}'


class Front(BaseHTTPRequestHandler):
    """An app that says 500 at /up, and a router that answers for it everywhere else."""

    def do_GET(self) -> None:
        is_app = self.path == "/up" and self.headers["Host"].startswith("shop.localhost:")
        self.send_response(500 if is_app else 503)
        if not is_app:
            self.send_header(ROUTERS_OWN, "H10")
        self.end_headers()

    def log_message(self, format: str, *words: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://shop.localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def space(url: str, tmp_path: Path) -> OpenSpace:
    """A space whose ledger is a folder, and whose hosts nobody asks."""
    described = Space("sandbox", "sandbox", "debian-13-amd64", url.replace("shop", "{app}"), "2026", VERSION)
    unasked = cast(Session, None)
    return OpenSpace(described, Ledger(FolderStore(tmp_path), "ada"), unasked, lambda host: unasked)


def state(app_json: str | None = APP_JSON, web: int = 1, **changes: object) -> AppState:
    """A state that serves: v3, with one web dyno."""
    release = Release(3, "slug", "config", "Deploy", "ada", "2026", app_json=app_json)
    app = App("shop", 20001, "2026", formation={"web": Quantity(web, "Basic")})
    whole = AppState(app, Current(3, 1), release=release, slug=SLUG)
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_an_app_that_answers_anything_serves(space: OpenSpace, url: str) -> None:
    assert told(space, state()) == f"v3 still serving at {url}. Next: `deployer releases -a shop`"


def test_a_router_that_answers_for_the_app_does_not_count(space: OpenSpace, url: str) -> None:
    said = told(space, state(app_json=None))
    assert said == f"NOTHING SERVING at {url}, where v3 should. Next: `deployer logs -a shop`"


def test_an_app_without_code_serves_nothing(space: OpenSpace) -> None:
    assert told(space, state(slug=None)).startswith("NOTHING SERVING: shop has no release with code yet.")


@pytest.mark.parametrize("without", [{"web": 0}, {"slug": replace(SLUG, process_types={"worker": "x"})}])
def test_an_app_without_a_web_dyno_is_not_asked(space: OpenSpace, without: dict[str, object]) -> None:
    assert told(space, state(**without)) == "v3 still in force, without a web dyno. Next: `deployer ps -a shop`"  # type: ignore[arg-type]


def test_where_nobody_listens_nothing_serves(url: str) -> None:
    assert answers(url, "/up")
    assert not answers("http://shop.localhost:1/", "/up")


@pytest.mark.parametrize("error", [NothingDeployed("shop"), KeyboardInterrupt()])
def test_failures_and_interrupts_get_the_note(space: OpenSpace, error: BaseException) -> None:
    space.ledger.create_app("shop", space="sandbox")
    with pytest.raises(type(error)), named_at_the_end(space, "shop"):
        raise error
    assert [note.partition(":")[0] for note in error.__notes__] == ["NOTHING SERVING"]


def test_of_an_app_that_there_is_not_nothing_is_said(space: OpenSpace) -> None:
    error = NothingDeployed("shop")
    with pytest.raises(NothingDeployed), named_at_the_end(space, "shop"):
        raise error
    assert not hasattr(error, "__notes__")


def test_where_the_ledger_is_gone_the_failure_stands_alone(space: OpenSpace, tmp_path: Path) -> None:
    class Gone(FolderStore):
        def batch(self, ops: Sequence[Op]) -> Answers:
            raise ConnectionLost("h1", "store", "The connection ended.")

    space.ledger = Ledger(Gone(tmp_path), "ada")
    with pytest.raises(KeyboardInterrupt) as caught, named_at_the_end(space, "shop"):
        raise KeyboardInterrupt
    assert not hasattr(caught.value, "__notes__")


def test_an_https_address_is_asked_by_its_name_whoever_issued_the_certificate(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain", tmp_path / "key"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=a",
    ]
    subprocess.run([*words, "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    named: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.sni_callback = lambda end, name, mine: named.append(str(name))
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert answers(f"https://shop.127-0-0-1.sslip.io:{server.server_port}/", "/up") is False
        assert answers(f"https://shop.localhost:{server.server_port}/", "/up")
        server.shutdown()
    assert named == ["shop.127-0-0-1.sslip.io", "shop.localhost"]
