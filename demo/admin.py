"""A person's first visit to the site's admin: the login form, filled in, leads to the dashboard."""

from __future__ import annotations

import http.client
import re
import urllib.parse
from http.cookies import SimpleCookie

FORM_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
TITLE = re.compile(r"<title>\s*(.*?)\s*</title>", re.DOTALL)


class NotLoggedIn(Exception):
    """The admin did not let the user in; says what it answered."""


def log_in(url: str, user: str, password: str) -> str:
    """The title of the dashboard's page."""
    visit = Visit(url)
    _, form = visit.request("GET", "/admin/login/")
    token = FORM_FIELD.search(form)
    if not token:
        raise NotLoggedIn(f"no login form at {url}admin/login/: {form[:200]!r}")
    fields = {"csrfmiddlewaretoken": token[1], "username": user, "password": password, "next": "/admin/"}
    status, answer = visit.request("POST", "/admin/login/", urllib.parse.urlencode(fields))
    if status != http.HTTPStatus.FOUND:
        raise NotLoggedIn(f"the login was answered with {status}: {answer[:200]!r}")
    status, dashboard = visit.request("GET", "/admin/")
    title = TITLE.search(dashboard)
    if status != http.HTTPStatus.OK or not title:
        raise NotLoggedIn(f"the dashboard was answered with {status}: {dashboard[:200]!r}")
    return " ".join(title[1].split())


class Visit:
    """A browser for one site on this machine: keeps cookies; needs no resolver for names below .localhost."""

    def __init__(self, url: str) -> None:
        self.url = urllib.parse.urlsplit(url)
        self.cookies: SimpleCookie = SimpleCookie()

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """(status, text of the body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.url.port or 80, timeout=30)
        try:
            connection.request(method, path, body, self.headers())
            answer = connection.getresponse()
            for value in answer.msg.get_all("Set-Cookie") or ():
                self.cookies.load(value)
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        site = f"{self.url.scheme}://{self.url.netloc}"
        form = "application/x-www-form-urlencoded"
        return {"Host": self.url.netloc, "Cookie": cookies, "Referer": f"{site}/admin/login/", "Content-Type": form}
