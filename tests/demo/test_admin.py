"""The visit to the admin tells a login from everything else that a site may answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from demo import admin

PASSWORD = "right & proper"
FORM = b'<form><input type="hidden" name="csrfmiddlewaretoken" value="token-1"></form>'
DASHBOARD = b"<title>\n  Dashboard - \n Wagtail </title>"


class Site(BaseHTTPRequestHandler):
    """The part of Django's login that a browser sees: a token in form and cookie, a session, redirects."""

    def do_GET(self) -> None:
        if self.path == "/admin/login/":
            self.answer(200, FORM, cookie="csrftoken=token-1")
        elif "sessionid=ada" in self.headers["Cookie"]:
            self.answer(200, DASHBOARD)
        else:
            self.answer(302, b"")

    def do_POST(self) -> None:
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        tokens = "csrftoken=token-1" in self.headers["Cookie"] and fields["csrfmiddlewaretoken"] == ["token-1"]
        if tokens and fields["password"] == [PASSWORD]:
            self.answer(302, b"", cookie="sessionid=ada")
        else:
            self.answer(200, b"Your username and password didn't match")

    def answer(self, status: int, body: bytes, cookie: str = "") -> None:
        self.send_response(status)
        if cookie:
            self.send_header("Set-Cookie", f"{cookie}; Path=/; HttpOnly")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://shop.localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_who_logs_in_sees_the_dashboard(url: str) -> None:
    assert admin.log_in(url, "ada", PASSWORD) == "Dashboard - Wagtail"


def test_who_is_refused_is_told_what_the_site_said(url: str) -> None:
    with pytest.raises(admin.NotLoggedIn, match="didn't match"):
        admin.log_in(url, "ada", "wrong")
